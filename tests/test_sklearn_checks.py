"""scikit-learn's own checks, all of them, on every public estimator."""

import os

import pytest
from conftest import estimator_classes, make_default
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import skae

# Run by scikit-learn on itself, and not handed to third parties by check_estimator.
OWN_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_estimators_partial_fit_n_features",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_inplace_ensure_writeable",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
# Checks of what transform returns.
OF_TRANSFORMERS = [name for name in OWN_CHECKS if "transform" in name]
# Their checks draw from numpy's global generator, and warn of what they provoke.
pytestmark = [
    pytest.mark.filterwarnings("ignore:n_components=:UserWarning"),
    pytest.mark.filterwarnings("ignore:X does not have valid feature names"),
    pytest.mark.filterwarnings("ignore:X has feature names, but"),
]


def default_estimators():
    return [make_default(cls) for cls in estimator_classes()]


# scikit-learn ignores it in its own tests too: checks fit noise in a few iterations.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(default_estimators(), expected_failed_checks=None)
def test_check_estimator(estimator, check):
    assert os.environ["SCIPY_ARRAY_API"] == "1"
    check(estimator)


def short(estimator):
    """The estimator with a short training, which its checks are not about."""
    few = {"max_iter": 2, "hidden_layer_sizes": (16,)}
    names = estimator.get_params()
    return estimator.set_params(**{k: v for k, v in few.items() if k in names})


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        pytest.param(name, short(estimator), id=f"{name}-{type(estimator).__name__}")
        for name in OWN_CHECKS
        for estimator in default_estimators()
        if hasattr(estimator, "transform") or name not in OF_TRANSFORMERS
    ],
)
def test_own_check(name, estimator):
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


def test_public_names_are_estimators():
    found = {name for name in skae.__all__ if hasattr(getattr(skae, name), "fit")}
    assert set(skae.__all__) - found == {"Codec", "InvalidFileError", "load", "to_onnx"}
    assert {"WindowedDetector"} < {cls.__name__ for cls in estimator_classes()}


@pytest.mark.parametrize("cls", estimator_classes())
def test_every_estimator_has_defaults(cls):
    assert isinstance(cls(), cls)
