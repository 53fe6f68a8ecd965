"""Searches of scikit-learn whose fits are made by the workers of a Dask cluster."""

import os

import joblib
import numpy as np
import pytest
import torch
from conftest import SHORT
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skae
from skae._utils.threads import usable_threads

distributed = pytest.importorskip("distributed")

GRID = {"autoencodertransformer__n_components": [1, 2]}


@pytest.fixture(scope="module")
def client():
    """A client of two workers, processes of one thread each."""
    with cluster(n_workers=2, processes=True) as found:
        yield found


def cluster(**options):
    """The client of a cluster of its own, with whom the cluster goes."""
    # Of the dashboard, which others may have the usual port of.
    options["dashboard_address"] = ":0"
    return distributed.Client(threads_per_worker=1, **options)


def pipeline():
    estimator = skae.AutoencoderTransformer(**SHORT, random_state=0)
    return make_pipeline(StandardScaler(), estimator)


def scores(X):
    return cross_val_score(pipeline(), X, cv=3)


def grid_search(X):
    return searched(GridSearchCV(pipeline(), GRID, cv=2), X)


def halving_search(X):
    search = HalvingGridSearchCV(pipeline(), GRID, cv=2, random_state=0)
    return searched(search, X)


def searched(search, X):
    search.fit(X)
    names = [name for name in search.cv_results_ if "_test_score" in name]
    found = [search.cv_results_[name] for name in sorted(names)]
    return np.concatenate([*found, search.transform(X).ravel()])


@pytest.mark.parametrize("question", [scores, grid_search, halving_search])
def test_searches_on_a_cluster_find_the_same_bits(question, client, tables):
    here = question(tables)
    with joblib.parallel_config("dask", client=client):
        there = question(tables)
    assert np.array_equal(here, there)


def test_fits_are_made_by_workers(client, tables):
    def process(*_):
        return os.getpid()

    with joblib.parallel_config("dask", client=client):
        found = cross_val_score(pipeline(), tables, cv=4, scoring=process)
    assert set(found) <= set(client.run(os.getpid).values())


def test_an_error_of_a_worker_is_that_of_a_fit(client, tables):
    wrong = pipeline().set_params(autoencodertransformer__max_iter=0)
    with joblib.parallel_config("dask", client=client):
        with pytest.raises(ValueError, match="max_iter"):
            cross_val_score(wrong, tables, cv=2, error_score="raise")


def test_a_worker_takes_one_thread_for_each_of_its_own(client):
    assert client.submit(usable_threads).result() == 1


def test_a_worker_in_this_process_takes_no_threads_of_others(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 4)
    with cluster(n_workers=1, processes=False) as client:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert usable_threads() == 4
        assert client.submit(usable_threads, pure=False).result() == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert client.submit(usable_threads, pure=False).result() == 4
