"""What was fitted, in words, out of what was stored at fit."""

import math

import numpy as np

from skae._utils.loss_names import loss_of

# PCA's error is next to nothing, if that of an autoencoder is more times larger.
_NEXT_TO_NOTHING = 1000


def counted(number, noun):
    """A number of things: ``counted(1797, "row")`` is "1,797 rows"."""
    plural = noun if number == 1 else noun + "s"
    return f"{number:,} {plural}"


def percent(share):
    """A share in per cent, with as many digits as say something."""
    return f"{100 * share:.2g}%" if 0 < share < 0.0995 else f"{100 * share:.0f}%"


def ratio_to_pca(autoencoder):
    """The error of an autoencoder over PCA's on rows that were held out from both.

    Returns
    -------
    ratio : float
        1 where PCA was kept, NaN where nothing was held out, or PCA was not fitted.
    """
    if autoencoder.best_iter_ == 0:
        return 1.0
    curve = autoencoder.validation_loss_curve_
    of_pca = getattr(autoencoder, "pca_loss_", None)
    if curve is None or of_pca is None:
        return math.nan
    kept = curve[autoencoder.best_iter_ - 1]
    return kept / of_pca if of_pca > 0 else math.inf


def best_epoch(autoencoder):
    """Which epoch was kept, of how many."""
    return f"epoch {autoencoder.best_iter_} of {autoencoder.n_iter_}"


def summary(estimator):
    """What was fitted, and how it compares: two lines of text."""
    for attribute, words in (
        ("detector_", _of_watch),
        ("held_out_scores_", _of_detector),
        ("autoencoder_", _of_imputer),
        ("best_iter_", _of_transformer),
    ):
        if hasattr(estimator, attribute):
            return "\n".join(words(estimator))
    raise TypeError(f"There are no words for {estimator!r}.")


def _of_transformer(estimator):
    rows = _rows_and_columns(estimator)
    size = counted(estimator.n_components_, "component")
    # Of PCA it is the second sentence that says so.
    kept = f"; {best_epoch(estimator)} was kept" if estimator.best_iter_ else ""
    return f"{rows} as {size}{kept}.", compared_with_pca(estimator)


def loses_nothing(autoencoder):
    """Whether a code is so large that PCA reconstructs all but rounding."""
    if autoencoder.n_components_ < autoencoder.n_features_in_:
        return False
    # Levels of categories take more components than there are columns.
    of_pca = getattr(autoencoder, "pca_loss_", math.nan)
    return autoencoder._columns is None or of_pca < 1 / _NEXT_TO_NOTHING


def compared_with_pca(autoencoder):
    """How an autoencoder compares with PCA of as many components: a sentence."""
    ratio = ratio_to_pca(autoencoder)
    epochs = counted(autoencoder.n_iter_, "epoch")
    error = "error" if loss_of(autoencoder)[0] == "mean squared error" else "loss"
    if autoencoder.best_iter_ == 0 and loses_nothing(autoencoder):
        size = counted(autoencoder.n_components_, "component")
        columns = counted(autoencoder.n_features_in_, "column")
        return (
            f"PCA was kept, which loses next to nothing: {size} for {columns} are no "
            "bottleneck (best_iter_ is 0)."
        )
    if autoencoder.best_iter_ == 0:
        return (
            f"PCA was kept: no epoch of {autoencoder.n_iter_} had less {error} on "
            "held-out rows by more than chance (best_iter_ is 0)."
        )
    if math.isnan(ratio) and autoencoder.validation_loss_curve_ is not None:
        n_after = int(np.isnan(autoencoder.validation_loss_curve_).sum())
        return (
            f"It was compared with PCA in fit, but not since: {n_after} of {epochs} "
            "came after that, without held-out rows."
        )
    if math.isnan(ratio):
        return (
            f"Trained for {epochs} without held-out rows, so that it was not compared "
            "with PCA."
        )
    if ratio > _NEXT_TO_NOTHING:
        size = counted(autoencoder.n_components_, "component")
        return (
            f"PCA with {size} has next to no {error}: there is nothing to compare with."
        )
    # What undoes damage is compared on rows without any.
    rows = "held-out rows"
    if getattr(autoencoder, "noise", None) or getattr(autoencoder, "corruption", None):
        rows = "clean held-out rows; it was trained on corrupted ones"
    figure = f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"
    return f"The autoencoder has {figure} of PCA's {error} on {rows}."


def _of_imputer(estimator):
    inner = estimator.autoencoder_
    size = counted(inner.n_components_, "component")
    name = type(inner).__name__
    rows = _rows_and_columns(estimator, inner)
    return f"{rows}, filled by a {name} of {size}.", compared_with_pca(inner)


def _of_detector(estimator):
    n_rows = len(estimator.held_out_scores_)
    n_models = counted(len(estimator.autoencoders_), "autoencoder")
    columns = counted(estimator.n_features_in_, "column")
    first = (
        f"{type(estimator).__name__}: {counted(n_rows, 'row')} of {columns}, scored by "
        f"method={estimator.method!r} and {n_models}."
    )
    if estimator.contamination == "auto":
        asked = f"alpha={estimator.alpha:g}"
    else:
        asked = f"contamination={estimator.contamination:g}"
    return first, _of_threshold(estimator, "Rows", "rows", asked)


def _of_watch(estimator):
    sensors = counted(estimator.n_features_in_, "sensor")
    name, of = type(estimator).__name__, f"of {estimator.length} times and {sensors}"
    detector = type(estimator.detector_).__name__
    if not hasattr(estimator, "held_out_scores_"):
        return (
            f"{name}: windows {of}, scored by {detector}.",
            f"Times with a score below {estimator.offset_:.4g} are alarms: the "
            "detector's own threshold, as no windows were held out (alpha=None).",
        )
    windows = counted(len(estimator.held_out_scores_), "window")
    first = f"{name}: {windows} {of}, scored by {detector}."
    asked = f"alpha={estimator.alpha:g}"
    return first, _of_threshold(estimator, "Times", "windows", asked)


def _of_threshold(estimator, judged, held_out, asked):
    share = percent(held_out_alarms(estimator))
    return (
        f"{judged} with a score below {estimator.offset_:.4g} are alarms: {share} of "
        f"the {held_out} that were held out in fit ({asked})."
    )


def held_out_alarms(estimator):
    """Share of the rows held out in fit that are alarms; NaN without such rows."""
    scores = getattr(estimator, "held_out_scores_", np.empty(0))
    scores = scores[~np.isnan(scores)]
    return float(np.mean(scores < estimator.offset_)) if len(scores) else math.nan


def _rows_and_columns(estimator, inner=None):
    name = type(estimator).__name__
    columns = counted(estimator.n_features_in_, "column")
    # Files of earlier versions don't say how many rows there were.
    n_rows = getattr(inner or estimator, "n_samples_", None)
    rows = columns if n_rows is None else f"{counted(n_rows, 'row')} of {columns}"
    return f"{name}: {rows}"
