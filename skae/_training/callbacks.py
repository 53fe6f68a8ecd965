"""What is told about a training while it runs, and how callbacks end it."""

from skorch.callbacks import Callback


class StopTraining(Exception):
    """Raised by a callback to end the training after the present epoch."""


def checked_callbacks(callbacks, are_kept=False):
    """The user's callbacks, once they are known to be skorch's.

    Those of a training that is kept in a file have to say what is to be kept of them.
    """
    for callback in callbacks or []:
        given = callback[-1] if isinstance(callback, tuple) else callback
        kind = given if isinstance(given, type) else type(given)
        if not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks holds {callback!r}, but skorch callbacks, or tuples of a "
                "name and a callback, were expected."
            )
        if are_kept and not (
            hasattr(kind, "state_dict") and hasattr(kind, "load_state_dict")
        ):
            raise TypeError(
                f"callbacks holds a {kind.__name__}, of which a checkpoint cannot keep "
                "the state: give it state_dict(), which returns a dict of arrays and "
                "plain values, and load_state_dict(), or fit without checkpoint."
            )
    return callbacks or []


class ProgressBar(Callback):
    """A tqdm bar over the epochs that shows the losses.

    Parameters
    ----------
    n_epochs : int
    title : str, default=""
        What stands before it.
    """

    def __init__(self, n_epochs, title=""):
        self.n_epochs = n_epochs
        self.title = title

    def on_train_begin(self, net, **kwargs):
        from tqdm.auto import tqdm

        title = self.title or None
        self.bar_ = tqdm(total=self.n_epochs, unit="epoch", desc=title)

    def on_epoch_end(self, net, **kwargs):
        row = net.history[-1]
        shown = {
            "train": "train_loss",
            "validation": "valid_loss",
            "objective": "valid_objective",
        }
        losses = {name: f"{row[key]:.4g}" for name, key in shown.items() if key in row}
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update(len(net.history) - self.bar_.n)

    def on_train_end(self, net, **kwargs):
        self.bar_.close()


class Title(Callback):
    """Says what is trained, before its lines, if it is one training of several.

    Parameters
    ----------
    title : str
    sink : callable, default=print
        Gets the line.
    """

    def __init__(self, title, sink=print):
        self.title = title
        self.sink = sink

    def on_train_begin(self, net, **kwargs):
        if self.title:
            self.sink(self.title)
