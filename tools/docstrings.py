"""Words that several classes share: written once here, and from here into each class.

``python tools/docstrings.py`` rewrites the files; ``--check`` says whether it would.
Defaults come from the signatures.
"""

import ast
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "skae" / "_estimators").glob("*.py"))
WIDTH = 88

PARAMETERS = {
    "n_components": (
        "int or float in (0, 1)",
        "Size of the code. A share is turned into as many components as PCA needs to "
        "explain more than that share of the variance.",
    ),
    "hidden_layer_sizes": (
        "int or array-like of ints",
        "Widths of the encoder's hidden layers; the decoder has them in reverse. "
        "``()`` is a linear autoencoder. Not used with `network`.",
    ),
    "activation": (
        '{"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", "leaky_relu"}',
        "Activation of the hidden layers. Not used with `network`.",
    ),
    "network": (
        "callable",
        "A network of your own: ``(n_features, n_components) -> module``, with "
        "``encode`` and ``decode``; see :doc:`/network`. None is "
        ":class:`skae.networks.MLP`.",
    ),
    "linear_path": (
        'bool, "encoder" or "auto"',
        "Whether linear maps run beside the networks, so that the autoencoder can be "
        "PCA. Training then has to beat it, unless codes pass through a code map "
        "that is not Gaussian. "
        '"encoder" is a map beside the encoder alone: noise is averaged out, and codes '
        'are not drawn to PCA\'s. "auto" is True, but "encoder" where rows are '
        'corrupted by "noisy_masking", for codes that are features. Not used with '
        "`network`.",
    ),
    "init": (
        '{"pca", "random", "layerwise"}',
        "Where training starts: at PCA, at random networks, or at these after pairs of "
        "mirrored layers were trained one after the other, from the outermost inwards; "
        "see :doc:`/how_it_works`. Networks of your own keep their initialisation with "
        '"random".',
    ),
    "loss": (
        '{"squared_error", "absolute_error", "huber", "log_loss"} or Loss',
        'What is minimised. "log_loss" is the binary cross-entropy, for X in [0, 1].',
    ),
    "learning_rate": (
        'float or "auto"',
        "Peak learning rate of AdamW [1]_. It rises to this value and falls to zero "
        "over the `max_iter` epochs (one cycle, [2]_); `partial_fit` uses it "
        'throughout. "auto" is 0.02, and less for more than 64 features, by the root '
        "of their number.",
    ),
    "weight_decay": ("float", "Decoupled weight decay of AdamW."),
    "batch_size": (
        'int or "auto"',
        "Rows in a training step, about: batches of an epoch are of one size, but for "
        'one row. "auto" is the power of two nearest to ``3 * sqrt(n)`` for n rows to '
        "train on, between 32 and 512.",
    ),
    "max_iter": (
        'int or "auto"',
        'Epochs. "auto" is 30, for denoising and variational autoencoders 50, and '
        "fewer over more than 15,000 rows: by the power 0.4 of their number, but three "
        "at the least.",
    ),
    "early_stopping": (
        "bool",
        "Whether to hold out rows, to keep the best epoch on them, and to stop when "
        "nothing gets better. PCA, where training has to beat it, is one of the "
        "epochs, and left only for a gain that is more than chance. Where folds are "
        "held out in turn, all rows are then trained on, for as many epochs as were "
        "best for those held out. If False, all rows are trained on and the last epoch "
        "is kept.",
    ),
    "validation_fraction": (
        'float in (0, 1) or "auto"',
        'Share of the rows to hold out, once. "auto" is a tenth, or ``4 * sqrt(n)`` '
        "rows if these are fewer, but 100 rows at the least and a fifth at the most; "
        "of fewer than 1,000 rows several such folds are held out in turn, unless "
        "cells are hidden, or there are `callbacks`, which watch a single training. "
        "Only used with early stopping.",
    ),
    "n_iter_no_change": (
        "int",
        "Epochs without progress after which to stop, not counted while the learning "
        "rate rises. Only used with early stopping, and not in folds.",
    ),
    "tol": (
        "float",
        "What counts as progress: a relative fall of the validation loss by more than "
        "this. Only used with early stopping.",
    ),
    "warm_start": (
        "bool",
        "Whether `fit` goes on from the earlier fit, with its shift, scale and widths, "
        "instead of starting anew. The earlier fit is a candidate for the best epoch; "
        "rows are held out once, whatever their number.",
    ),
    "callbacks": (
        "list of skorch callbacks",
        "Called while training, after the transformer's own. What they record is kept "
        "in the history of `net_`.",
    ),
    "checkpoint": (
        "str, PathLike, Checkpoints or None",
        "A file that keeps how far a fit has come: if the process is killed, the same "
        "fit in a new one goes on from there; see :doc:`/scale`. Searches need "
        ":class:`~skae.checkpoints.Checkpoints`.",
    ),
    "device": (
        "str",
        'Where to compute: "cpu", "cuda" or any other name that torch knows. "auto" is '
        "CUDA's GPU where there is one.",
    ),
    "memory_limit": (
        "int",
        "Bytes of rows that are held in memory at once, about, where X is not in "
        "memory; see :doc:`/scale`. Half as many are read whole.",
    ),
    "random_state": (
        "int, RandomState instance or None",
        "Determines initial weights, the rows held out, their order and all noise. "
        "Global random generators are neither used nor changed.",
    ),
    "verbose": (
        "int",
        "0 is silent, 1 shows a progress bar, 2 prints a line per epoch.",
    ),
}
ATTRIBUTES = {
    "n_components_": ("int", "Size of the code."),
    "n_features_in_": ("int", "Number of features seen in `fit`."),
    "feature_names_in_": (
        "ndarray of shape (`n_features_in_`,)",
        "Names of the features, where X had names that are all strings.",
    ),
    "n_samples_": ("int", "Rows of the last call of `fit` or `partial_fit`."),
    "n_iter_": ("int", "Epochs run."),
    "best_iter_": ("int", "The epoch that was kept; 0 is PCA."),
    "loss_curve_": (
        "list of float of length `n_iter_`",
        "Training loss of each epoch, with the penalty and the corruption; as all "
        'losses here in the units of the data, squared for "squared_error". Where '
        "folds are held out in turn, losses are means over their trainings.",
    ),
    "validation_loss_curve_": (
        "list of float of length `n_iter_`, or None",
        "Loss of clean held-out rows after each epoch; None without early stopping, "
        "NaN for epochs of `partial_fit`. With a penalty or a corruption the best "
        "epoch is chosen by the loss that has them, on one fixed corrupted copy.",
    ),
    "pca_loss_": (
        "float",
        "Loss of PCA with as many components, fitted on all rows, on the same rows as "
        "`validation_loss_curve_`, or on the training rows without early stopping: is "
        "the network worth it? Where folds are held out in turn, PCA is fitted without "
        "them as well.",
    ),
    "encoder_": (
        "torch.nn.Module",
        "Rows to codes, both in the units of the data, float32 or float64; made anew "
        "each time.",
    ),
    "decoder_": ("torch.nn.Module", "Codes to rows."),
    "net_": (
        "skorch.NeuralNet",
        "The trained network in skorch, made anew each time: ``history`` is what was "
        "recorded in each epoch, ``predict`` reconstructs rows in the units of the "
        "data.",
    ),
}
SECTIONS = {"Parameters": PARAMETERS, "Attributes": ATTRIBUTES}


def entry(name, kind, text, default=None):
    """The lines of an entry in the docstring of a class."""
    head = f"    {name} : {kind}" + ("" if default is None else f", default={default}")
    lines = []
    while len(head) > WIDTH:
        cut = head.rindex(" ", 0, WIDTH - 1)
        lines.append(head[:cut] + " \\")
        head = 12 * " " + head[cut + 1 :]
    body = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=8 * " ",
        subsequent_indent=8 * " ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([*lines, head, *body]) + "\n"


def defaults(node):
    """Defaults of a class's constructor, as written."""
    init = [n for n in node.body if getattr(n, "name", "") == "__init__"]
    if not init:
        return {}
    arguments = init[0].args
    positional = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    pairs = [
        *zip(positional, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {
        argument.arg: repr(ast.literal_eval(value)).replace("'", '"')
        for argument, value in pairs
        if value is not None
    }


def rewritten(source):
    """A file's text, with the shared entries of its classes as they are here."""
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.ClassDef) and ast.get_docstring(node)):
            continue
        literal = ast.get_source_segment(source, node.body[0])
        new = literal
        for section, shared in SECTIONS.items():
            for name, (kind, text) in shared.items():
                default = defaults(node).get(name) if section == "Parameters" else None
                lines = entry(name, kind, text, default).replace("\\", "\\\\")
                pattern = rf"^    {name} : (?:.*\\\n)*.*\n(?:        .*\n)*"
                new = re.sub(pattern, lines, new, flags=re.MULTILINE)
        source = source.replace(literal, new)
    return source


def main(only_check):
    """Rewrite the files, and return those that were not as they should be."""
    changed = []
    for path in FILES:
        source = path.read_text()
        if (new := rewritten(source)) != source:
            changed.append(path)
            if not only_check:
                path.write_text(new)
    return changed


if __name__ == "__main__":
    found = main("--check" in sys.argv)
    print("\n".join(str(path.relative_to(ROOT)) for path in found) or "Nothing to do.")
    sys.exit(bool(found and "--check" in sys.argv))
