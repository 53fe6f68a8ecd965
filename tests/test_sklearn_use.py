"""In the hands of a scikit-learn user."""

import inspect
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skae import AutoencoderTransformer, VariationalAutoencoderTransformer
from skae.code_maps import TopK
from skae.corruptions import Gaussian
from skae.penalties import L1


def test_pipeline_and_grid_search():
    X, y = load_digits(return_X_y=True)
    X, y = X[:400], y[:400]
    pipe = make_pipeline(
        StandardScaler(),
        AutoencoderTransformer(n_components=16, max_iter=3, random_state=0),
        LogisticRegression(max_iter=500),
    )
    grid = {
        "autoencodertransformer__n_components": [8, 16],
        "autoencodertransformer__hidden_layer_sizes": [(32,), (32, 16)],
    }
    search = GridSearchCV(pipe, grid, n_jobs=2, cv=2).fit(X, y)
    assert search.best_score_ > 0.8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_grid_search_over_the_reconstruction_alone(digits):
    """score needs no y."""
    search = GridSearchCV(
        AutoencoderTransformer(max_iter=2, random_state=0),
        {"n_components": [2, 8], "loss": ["squared_error"]},
        cv=2,
    ).fit(digits[:300])
    assert search.best_params_["n_components"] == 8


def test_settings_of_parts_are_grid_keys(digits):
    search = GridSearchCV(
        AutoencoderTransformer(
            4, penalty=L1(), corruption=Gaussian(), max_iter=1, random_state=0
        ),
        {"penalty__alpha": [0.0, 0.1], "corruption__level": [0.1]},
        cv=2,
    ).fit(digits[:200])
    assert set(search.best_params_) == {"penalty__alpha", "corruption__level"}


def test_unions_column_transformers_and_cross_validation(make, digits):
    X, y = digits[:300], load_digits().target[:300]
    union = make_union(make(), make(n_components=2))
    assert union.fit_transform(X).shape == (300, 6)
    columns = ColumnTransformer([("code", make(), slice(0, 40))], remainder="drop")
    assert columns.fit_transform(X).shape == (300, 4)
    pipe = make_pipeline(MinMaxScaler(), make(loss="log_loss"), LogisticRegression())
    assert np.isfinite(cross_val_score(pipe, X, y, cv=2)).all()


def test_names_of_the_codes(make, tables):
    estimator = make().fit(tables)
    prefix = type(estimator).__name__.lower()
    expected = [f"{prefix}{i}" for i in range(4)]
    assert estimator.get_feature_names_out().tolist() == expected


@pytest.mark.parametrize(("library", "kind"), [("pandas", pd), ("polars", pl)])
def test_set_output(make, tables, library, kind):
    frame = pd.DataFrame(tables, index=range(100, 160)).rename(columns=str)
    estimator = make().set_output(transform=library).fit(frame)
    code = estimator.transform(frame)
    assert isinstance(code, kind.DataFrame)
    assert list(code.columns) == estimator.get_feature_names_out().tolist()
    if library == "pandas":
        assert code.index.equals(frame.index)
    rows = estimator.inverse_transform(code)
    np.testing.assert_allclose(rows, estimator.reconstruct(frame), rtol=1e-5, atol=1e-5)
    with config_context(transform_output=library):
        assert isinstance(make().fit_transform(frame), kind.DataFrame)


def test_metadata_routing_does_not_get_in_the_way(make, tables):
    y = np.arange(60) % 2
    with config_context(enable_metadata_routing=True):
        make_pipeline(make(), LogisticRegression()).fit(tables, y).predict(tables)


def test_html_and_text_of_a_fitted_estimator(make, tables):
    estimator = make().fit(tables)
    assert type(estimator).__name__ in repr(estimator)
    assert type(estimator).__name__ in estimator._repr_html_()


# Other kinds of arrays


def test_torch_tensors_are_arrays_too(make, tables):
    expected = make().fit(tables).transform(tables)
    X = torch.tensor(tables)
    np.testing.assert_array_equal(make().fit(X).transform(X), expected)
    with config_context(array_api_dispatch=True):
        codes = make().fit(X).transform(X)
        np.testing.assert_array_equal(np.asarray(codes), expected)
        np.testing.assert_array_equal(make().fit(tables).transform(tables), expected)


# Subclasses, as scikit-learn's own are written


class WithOwnParameter(AutoencoderTransformer):
    """Reconstructs rows no larger than a limit, a parameter of its own."""

    def __init__(
        self, n_components=4, *, limit=1.0, max_iter=2, network=None, random_state=None
    ):
        super().__init__(
            n_components,
            max_iter=max_iter,
            network=network,
            random_state=random_state,
            hidden_layer_sizes=(8,),
        )
        self.limit = limit

    def reconstruct(self, X):
        return super().reconstruct(X).clip(max=self.limit)


class WithFewerParameters(VariationalAutoencoderTransformer):
    """Has one parameter; the others are what they are by default."""

    def __init__(self, random_state=None):
        super().__init__(2, max_iter=2, random_state=random_state)


class WithHooks(AutoencoderTransformer):
    """A variant by its hooks, without a constructor."""

    def _make_penalty(self):
        return L1(10.0)

    def _make_code_map(self):
        return TopK(1)


@pytest.mark.filterwarnings("ignore:Posterior collapse")
@pytest.mark.parametrize("cls", [WithOwnParameter, WithFewerParameters, WithHooks])
def test_subclasses_are_estimators(tables, cls):
    names = list(inspect.signature(cls).parameters)
    estimator = cls(random_state=0)
    if "max_iter" in names:
        estimator.set_params(max_iter=2)
    assert sorted(estimator.get_params(deep=False)) == sorted(names)
    codes = estimator.fit(tables).transform(tables)
    again = clone(estimator).fit(tables)
    np.testing.assert_array_equal(again.transform(tables), codes)
    pickled = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(pickled.transform(tables), codes)
    assert cls.__name__ in repr(estimator)
    assert estimator.get_feature_names_out()[0] == f"{cls.__name__.lower()}0"
    estimator.partial_fit(tables)
    _ = estimator.net_, estimator.encoder_, estimator._repr_html_()
    pipe = make_pipeline(StandardScaler(), clone(estimator))
    prefix = cls.__name__.lower()
    search = GridSearchCV(pipe, {f"{prefix}__random_state": [0, 1]}, cv=2)
    assert np.isfinite(search.fit(tables).best_score_)


def test_subclasses_do_what_they_say(tables):
    limited = WithOwnParameter(random_state=0).fit(tables)
    assert limited.reconstruct(tables).max() == 1.0
    limited.set_params(limit=-1.0)
    assert limited.reconstruct(tables).max() == -1.0
    hooked = WithHooks(2, max_iter=2, random_state=0).fit(tables)
    assert ((hooked.transform(tables) != 0).sum(1) == 1).all()
    with pytest.raises(ValueError, match="'n_components' parameter of WithHooks"):
        WithHooks(0).fit(tables)


MEMORY = """
import resource, sys
import numpy as np
import skae

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

order, width = sys.argv[1], int(sys.argv[3])
rng = np.random.default_rng(0)
X = np.empty((12_000_000 // width, width), np.float32, order=order)
for start in range(0, len(X), 10_000):
    X[start : start + 10_000] = rng.normal(size=X[start : start + 10_000].shape)
params = {"n_components": 8, "hidden_layer_sizes": (16,), "max_iter": 1}
params["early_stopping"] = sys.argv[2] == "True"
skae.AutoencoderTransformer(random_state=0, **params).fit(X[:20_000])
before = peak()
skae.AutoencoderTransformer(random_state=0, **params).fit(X)
print((peak() - before) / X.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units")
@pytest.mark.parametrize(
    ("order", "early_stopping", "width"),
    [("C", True, 120), ("F", False, 120), ("C", False, 20), ("C", True, 20)],
)
def test_fitting_takes_little_memory(order, early_stopping, width):
    """At the most 1.6 times the array, as measured from outside."""
    settings = [order, str(early_stopping), str(width)]
    command = [sys.executable, "-c", MEMORY, *settings]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    )
    assert float(printed.stdout) < 1.6
