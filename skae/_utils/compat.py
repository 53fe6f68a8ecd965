"""scikit-learn's private helpers, imported in one place."""

from sklearn.base import _fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
)
from sklearn.utils.validation import (
    _check_feature_names_in as check_feature_names_in,
)

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # of scikit-learn before 1.9, which has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's."""


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "check_feature_names_in",
    "fit_context",
]


def fit_context(*, prefer_skip_nested_validation):
    """scikit-learn's decorator of `fit`: parameters are checked before it runs.

    Errors about arguments name the method alone, and not the base class that has it.
    """

    def decorated(method):
        method.__qualname__ = method.__name__
        return _fit_context(
            prefer_skip_nested_validation=prefer_skip_nested_validation
        )(method)

    return decorated
