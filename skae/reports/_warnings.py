"""What was measured and should not be so, and what to do about it."""

from typing import NamedTuple

import numpy as np

from skae.reports._words import (
    compared_with_pca,
    counted,
    held_out_alarms,
    loses_nothing,
    percent,
)

# The held-out loss was still falling, if it fell by more in the last fifth of the
# epochs. On digits and on breast cancer, of fits that did as well with more epochs it
# fell by up to 0.03, and of those that did much better with more, by 0.06 to 0.34.
_FALLING = 0.05
# Shares of the variance of one column, and of that of codes in one component.
_ONE_COLUMN, _ONE_COMPONENT = 0.5, 0.9
# A component is dead, if it says less than so many nats about a row, or if its standard
# deviation is less than so much of the largest one. So many of them are told of.
_FEWEST_NATS, _NO_SPREAD, _DEAD = 0.01, 1e-3, 0.1
# Fewer rows are few: to fit to, and to judge columns by, if more were fitted to.
_FEW_ROWS, _ENOUGH = 200, 100
# Shares of cells that are missing, of all and of a column; and of constant columns.
_MISSING, _MOSTLY_MISSING, _CONSTANT = 0.3, 0.5, 0.1
# Rows have so many times the error of those held out, or so many times the alarms.
_UNLIKE, _MANY_TIMES = 2.0, 2.0
# The usual error is known, if so many rows were held out; and an error is one, if it is
# more than this share of the rows' variance.
_JUDGES, _LOST = 50, 0.01
_MOST_NAMES = 5


class ReportWarning(NamedTuple):
    """Something that was measured, and what to do about it.

    Attributes
    ----------
    name : str
        Which warning it is, such as "undertrained".
    message : str
        What was found, in figures.
    advice : str
        What to do.
    """

    name: str
    message: str
    advice: str

    def __str__(self):
        return f"{self.message} {self.advice}"


def found(subject):
    """The warnings of an estimator and of rows.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    warnings : list of ReportWarning
    """
    return [warning for check in CHECKS if (warning := check(subject)) is not None]


def pca_kept(subject):
    """PCA was as good."""
    model = subject.model
    if getattr(model, "best_iter_", 1) > 0:
        return None
    if loses_nothing(model):
        return ReportWarning(
            "pca_kept",
            compared_with_pca(model),
            "Use fewer components than there are columns (n_components), if the code "
            "is to be smaller than the rows.",
        )
    return ReportWarning(
        "pca_kept",
        f"PCA was kept: none of {model.n_iter_} epochs was better by more than "
        "chance, so that codes and reconstructions are linear.",
        "If a linear model will do, PCA is smaller. If not, pass more rows, train for "
        "more epochs (max_iter), or try another n_components.",
    )


def undertrained(subject):
    """The loss was still falling when training ended."""
    model = subject.model
    if not hasattr(model, "loss_curve_"):
        return None
    curve = model.validation_loss_curve_ or model.loss_curve_
    curve = np.array(curve, np.float64)
    if len(curve) < 2 or np.isnan(curve).any() or curve[-1] > curve.min():
        return None
    n_last = max(1, len(curve) // 5)
    fall = 1 - curve[-1] / curve[-1 - n_last]
    if not fall > _FALLING:
        return None
    more = f"max_iter={max(3 * len(curve), 30)}"
    if model.validation_loss_curve_ is None:
        rows, how = "training", f"by {more} of fit, or by more calls of partial_fit"
    else:
        rows, how = "held-out", f"such as {more}; early stopping ends them in time"
    last = "epoch" if n_last == 1 else f"{n_last} epochs"
    return ReportWarning(
        "undertrained",
        f"Training ended while the {rows} loss was falling: by {percent(fall)} in the "
        f"last {last} of {len(curve)}.",
        f"Train for more epochs, {how}.",
    )


def few_rows(subject):
    """What was judged on few rows may be chance."""
    scores = getattr(subject.estimator, "held_out_scores_", None)
    if scores is not None:
        alpha = subject.estimator.alpha
        n_rows = int(np.count_nonzero(~np.isnan(scores)))
        if _expected_alarms(subject) is None or alpha * (n_rows + 1) >= 1:
            return None
        return ReportWarning(
            "few_rows",
            f"The threshold is for alpha={alpha:g}, but {n_rows:,} scores were held "
            f"out, too few to judge a rate below {percent(1 / (n_rows + 1))}.",
            f"Fit to {int(np.ceil(1 / alpha)):,} rows or more, or raise alpha.",
        )
    n_rows = getattr(subject.model, "n_samples_", _FEW_ROWS)
    if n_rows >= _FEW_ROWS:
        return None
    return ReportWarning(
        "few_rows",
        f"Fitted to {counted(n_rows, 'row')}: other rows would give other codes, and "
        "errors on so few are uncertain.",
        "Fit to more rows, to fewer components, or compare with PCA by "
        "cross-validation.",
    )


def missing_cells(subject):
    """Much of the rows is missing."""
    if not hasattr(subject.model, "reconstruct"):
        return None
    missing, names = subject.columns.missing, subject.names
    share, of_columns = float(missing.mean()), missing.mean(axis=0)
    mostly = np.flatnonzero(of_columns > _MOSTLY_MISSING)
    if share <= _MISSING and not len(mostly):
        return None
    said = f" Mostly missing: {_listed(names, mostly)}." if len(mostly) else ""
    return ReportWarning(
        "missing_cells",
        f"{percent(share)} of the cells are missing.{said}",
        "What is said of rows is said of the rest. Leave out columns that are mostly "
        "missing, unless that they are missing says something.",
    )


def _tell_of_columns(subject):
    """Whether rows are enough to judge columns by; a few may be alike by chance."""
    enough = min(_ENOUGH, getattr(subject.model, "n_samples_", _ENOUGH))
    return hasattr(subject.model, "reconstruct") and len(subject.labels) >= enough


def constant_columns(subject):
    """Columns say nothing."""
    if not _tell_of_columns(subject) or subject.image_shape:  # which have margins
        return None
    constant = np.flatnonzero(subject.columns.are_constant)
    if len(constant) <= _CONSTANT * len(subject.names):
        return None
    return ReportWarning(
        "constant_columns",
        f"{len(constant)} of {counted(len(subject.names), 'column')} have one value "
        f"alone: {_listed(subject.names, constant)}.",
        "Leave them out, as sklearn.feature_selection.VarianceThreshold does.",
    )


def unscaled(subject):
    """One column has most of the variance, and with it most of the loss."""
    if subject.of_table or len(subject.names) < 3 or not _tell_of_columns(subject):
        return None
    variances = subject.columns.variances
    largest, total = int(variances.argmax()), float(variances.sum())
    share = float(variances[largest]) / total if total > 0 else 0.0
    if share <= _ONE_COLUMN:
        return None
    return ReportWarning(
        "unscaled",
        f"{subject.names[largest]} has {percent(share)} of the variance of all "
        f"{len(subject.names)} columns, and counts for as much.",
        "If columns have different units, scale them first, for example by "
        "StandardScaler.",
    )


def one_component(subject):
    """One component takes all."""
    if not subject.encodes or not _tell_of_columns(subject):
        return None
    shares = variance_shares(subject.codes)
    if len(shares) < 2 or shares.max() <= _ONE_COMPONENT:
        return None
    return ReportWarning(
        "one_component",
        f"Component {int(shares.argmax())} has {percent(float(shares.max()))} of the "
        f"variance of all {len(shares)}: the code is next to one number.",
        "Scale the columns, look for rows far out below, or use fewer components.",
    )


def dead_components(subject):
    """Components carry nothing."""
    if not subject.encodes:
        return None
    model, codes = subject.model, subject.codes
    if hasattr(model, "dead_fraction_"):
        n_dead = round(model.dead_fraction_ * model.n_components_)
        what, advice = "are zero for all rows", "fewer components, a larger k, or"
    elif hasattr(model, "kl_per_component_"):
        n_dead = int(np.count_nonzero(model.kl_per_component_ < _FEWEST_NATS))
        what = f"carry less than {_FEWEST_NATS} nats about a row"
        advice = "fewer components, a smaller beta, or"
    else:
        deviations = codes.std(axis=0)
        n_dead = int(np.count_nonzero(deviations < _NO_SPREAD * deviations.max()))
        what, advice = "hardly vary between rows", "fewer components, or"
    if n_dead <= _DEAD * model.n_components_ or len(codes) < 2:
        return None
    return ReportWarning(
        "dead_components",
        f"{n_dead} of {counted(model.n_components_, 'component')} {what}.",
        f"Use {advice} more rows.",
    )


def unlike(subject):
    """Rows have far more error than those that were held out."""
    if not subject.encodes:
        return None
    model = subject.model
    curve = model.validation_loss_curve_
    if curve is None or _n_held_out(model) < _JUDGES:
        return None
    # Of PCA, what it lost there.
    usual = model.pca_loss_ if model.best_iter_ == 0 else curve[model.best_iter_ - 1]
    error = -float(np.nanmean(subject.scores))
    is_lost = subject.explained < 1 - _LOST
    by_chance = 4 * float(np.nanstd(subject.scores)) / len(subject.scores) ** 0.5
    if np.isnan(usual) or error - by_chance <= _UNLIKE * usual or not is_lost:
        return None
    return ReportWarning(
        "unlike",
        f"These rows have {error / usual:.2g} times the loss of those held out in fit, "
        f"{error:.3g} instead of {usual:.3g}."
        if usual > 0
        else f"These rows have a loss of {error:.3g}, and those held out in fit none.",
        "They may be in other units, or of another kind: see the columns below, and "
        "fit to rows like them.",
    )


def alarms(subject):
    """There are far more alarms than were asked for."""
    expected = _expected_alarms(subject)
    if expected is None:
        return None
    n_rows, n_told = len(subject.is_alarm), len(subject.is_alarm)
    if subject.is_series:  # windows that share readings tell no more than one
        n_told = max(n_rows // subject.estimator.length, 1)
    share = subject.alarm_share
    chance = 4 * np.sqrt(expected * (1 - expected) / n_told)
    if share <= max(expected + chance, _MANY_TIMES * expected):
        return None
    return ReportWarning(
        "alarms",
        f"{percent(share)} of the {'times' if subject.is_series else 'rows'} are "
        f"alarms, but {percent(expected)} were expected of rows like those of fit.",
        "They have changed since fit, or are of another kind: see below what makes the "
        "alarms, and fit again if the change is to stay.",
    )


def units(subject):
    """Rows are beyond all that was fitted."""
    if not subject.detects or subject.is_series:
        return None
    _, told = subject.reasons
    if not told:
        return None
    return ReportWarning(
        "units",
        "Most of these rows are beyond all that was fitted in most of their columns, "
        "as rows in other units are.",
        "If steps before the detector change units, such as a scaler, pass what they "
        "make of the rows: pipeline[:-1].transform(X).",
    )


# Each says None where it does not apply.
CHECKS = (
    pca_kept,
    undertrained,
    few_rows,
    missing_cells,
    constant_columns,
    alarms,
    unscaled,
    one_component,
    dead_components,
    unlike,
    units,
)


def variance_shares(codes):
    """Share (n_components,) of each component in the variance of codes."""
    variances = codes.var(axis=0)
    total = float(variances.sum())
    return variances / total if total > 0 else np.zeros(len(variances))


def _n_held_out(model):
    """How many rows the losses of fit are of."""
    # Files of earlier versions don't say how many rows there were.
    n_rows = getattr(model, "n_samples_", None)
    return _JUDGES if n_rows is None else model._settings(False).n_held_out(n_rows)


def _expected_alarms(subject):
    """The share of rows that were to be alarms; None where there is no such rate."""
    estimator = subject.estimator
    if not subject.detects:
        return None
    if getattr(estimator, "contamination", "auto") != "auto":
        return float(estimator.contamination)
    alpha, held_out = estimator.alpha, held_out_alarms(estimator)
    return None if alpha is None else float(np.nanmax([alpha, held_out]))


def _listed(names, numbers):
    """Some names, and how many more there are."""
    said = ", ".join(names[j] for j in numbers[:_MOST_NAMES])
    n_others = len(numbers) - _MOST_NAMES
    return said if n_others <= 0 else f"{said} and {n_others} more"
