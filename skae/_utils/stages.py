"""Stages of a fit, which callbacks of scikit-learn are told of."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

from skae._utils.compat import CallbackSupportMixin


class NullStage:
    """A stage of a fit that nobody is told of."""

    def begin(self, name, n_stages=0):
        """A stage of this stage.

        Parameters
        ----------
        name : str
        n_stages : int or None, default=0
            How many stages it has at the most; None is not known.
        """
        return self

    def end(self, fitted=None):
        """Say that the stage has ended, and whether a callback asks to stop.

        Parameters
        ----------
        fitted : callable, default=None
            Makes what `state_of` takes.
        """
        return False

    def telling(self, state_of):
        """This stage, whose own ones end with other states."""
        return self

    @contextmanager
    def fitting(self, part, name):
        """A context in which an estimator is fitted, as a stage of its own."""
        yield part


NO_STAGE = NullStage()


@dataclass(frozen=True)
class Stage(NullStage):
    """A stage that callbacks are told of.

    Attributes
    ----------
    estimator : estimator
        That is being fitted.
    X, y : object
        As given to `fit`.
    context : sklearn.callback.CallbackContext
    state_of : callable
        Makes the attributes of a fit that stops here, or None, of what ends a stage.
    """

    estimator: object
    X: object
    y: object
    context: object
    state_of: Callable = dict

    def begin(self, name, n_stages=0):
        context = self.context.subcontext(task_name=name, max_subtasks=n_stages)
        return replace(self, context=context).begun()

    def begun(self):
        """This stage, once callbacks have been told that it begins."""
        given = {"estimator": self.estimator, "X": self.X, "y": self.y}
        self.context.call_on_fit_task_begin(**given)
        return self

    def end(self, fitted=None):
        state = None if fitted is None else lambda: self.state_of(fitted())
        return self.context.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            y=self.y,
            reconstruction_attributes=state,
        )

    def telling(self, state_of):
        return replace(self, state_of=state_of)

    @contextmanager
    def fitting(self, part, name):
        context = self.context.subcontext(task_name=name)
        with context.propagate_callback_context(part):
            stage = replace(self, context=context).begun()
            yield part
        stage.end()


class TellsCallbacks(CallbackSupportMixin):
    """Mixin of estimators whose fits tell scikit-learn's callbacks of their stages."""

    @contextmanager
    def _telling(self, X, y, name="fit"):
        """A context that is a whole fit, within :func:`fit_context`.

        The rows are their own target: without one, callbacks that score get them.

        Yields
        ------
        stage : NullStage
        """
        if not hasattr(self, "_init_callback_context"):
            yield NO_STAGE
            return
        context = self._init_callback_context(name, max_subtasks=None)
        stage = Stage(self, X, X if y is None else y, context).begun()
        yield stage
        stage.end(dict)  # nothing has to be added to the estimator
