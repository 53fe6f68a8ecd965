"""What does a sparse matrix cost, and are its results those of the dense one?"""

import json
import os
import resource
import subprocess
import sys
from time import perf_counter

import numpy as np
from scipy.sparse import csr_array, vstack
from sklearn.utils import gen_batches

from benchmarks.report import Report

# Of the whole matrix and of what is fitted beside it, and their columns.
ROWS, FEW_ROWS, COLUMNS = 100_000, 5_000, 20_000
QUICK_ROWS, QUICK_FEW_ROWS, QUICK_COLUMNS = 20_000, 5_000, 4_000
# Those that are compared with the dense matrix: up to 2000 columns, PCA is exact.
SAME_ROWS, SAME_COLUMNS, WIDE_COLUMNS = 3_000, 1_500, 4_000
BATCH, CODE, EPOCHS = 512, 32, 1
# Of a made-up text: topics, of which each has two, and words.
TOPICS, WORDS = 50, 110
CHUNK_ROWS = 10_000
HEADINGS = [
    "rows",
    "columns",
    "share stored",
    "MB of matrix",
    "MB if dense",
    "peak MB",
    "seconds to fit",
    "seconds to transform",
]


def run(directory, quick):
    """The report on sparse matrices; the rows are made up."""
    report = Report("What does a sparse matrix cost?")
    report.notes.append(
        "Made-up texts: about 0.5 % of the cells of a row of 20,000 words, weighted as "
        "by TfidfVectorizer, float64."
    )
    sizes = (QUICK_ROWS, QUICK_FEW_ROWS) if quick else (ROWS, FEW_ROWS)
    columns = QUICK_COLUMNS if quick else COLUMNS
    whole, few = (_in_new_process(n_rows, columns) for n_rows in sizes)
    report.table(
        "A fit and a transform in a process of their own",
        HEADINGS,
        [_row(n, columns, part) for n, part in zip(sizes, (whole, few), strict=True)],
        f"Peak of resident memory, with imports and matrix; {EPOCHS} epoch, batches "
        f"of {BATCH} rows, a code of {CODE}.",
    )
    growth = (whole["peak"] - few["peak"]) / (whole["size"] - few["size"])
    name = f"{sizes[0]:,} rows over {sizes[1]:,} x {columns:,}"
    report.bar(f"bytes of peak memory per byte of matrix, {name}", growth, 2.0)
    _add_equality(report)
    return report


def _row(n_rows, columns, part):
    cells = n_rows * columns
    sizes = (part["size"] / 1e6, cells * 8 / 1e6, part["peak"] / 1e6)
    return [n_rows, columns, part["stored"] / cells, *sizes, *part["seconds"]]


def _add_equality(report):
    from skae import AutoencoderTransformer

    rows = []
    for columns in (SAME_COLUMNS, WIDE_COLUMNS):
        X = texts(SAME_ROWS, columns)
        codes = []
        for given in (X, X.toarray()):
            autoencoder = AutoencoderTransformer(8, max_iter=10, random_state=0)
            codes.append(autoencoder.fit(given).transform(given))
        largest = float(np.abs(codes[0] - codes[1]).max() / codes[1].std())
        rows.append([f"{SAME_ROWS:,} x {columns:,}", largest])
        limit = 0.0 if columns == SAME_COLUMNS else 0.01
        name = f"codes of sparse rows less those of dense, {columns:,} columns"
        report.bar(f"{name}, standard deviations", largest, limit)
    report.table(
        "Largest difference between codes of sparse and of dense rows",
        ["rows", "standard deviations of the codes"],
        rows,
        "Of more than 2000 rows and columns, PCA is found by random directions.",
    )


def _in_new_process(n_rows, columns):
    """Bytes and seconds of a fit, from a process that did only that."""
    command = [sys.executable, "-m", "benchmarks.sparse", str(n_rows), str(columns)]
    # Or memory that was freed stays with the process.
    settings = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=settings)
    return json.loads(done.stdout)


def _fit(n_rows, columns):
    """Fit made-up texts, and print what it took."""
    from skae import AutoencoderTransformer

    X = texts(n_rows, columns)
    autoencoder = AutoencoderTransformer(
        CODE, batch_size=BATCH, max_iter=EPOCHS, random_state=0
    )
    starts = [perf_counter()]
    for method in (autoencoder.fit, autoencoder.transform):
        method(X)
        starts.append(perf_counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {
        "peak": peak * (1 if sys.platform == "darwin" else 1024),
        "size": X.data.nbytes + X.indices.nbytes + X.indptr.nbytes,
        "stored": X.nnz,
        "seconds": np.diff(starts).tolist(),
    }
    print(json.dumps(found))


def texts(n_rows, columns):
    """Weights of words in made-up texts, as a CSR array.

    Words are as frequent as in texts, by Zipf's law, and each topic has its own order
    of them.
    """
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(10, columns + 10)
    orders = np.stack([rng.permutation(columns) for _ in range(TOPICS)])
    sums = np.cumsum(shares / shares.sum())
    parts = []
    for rows in gen_batches(n_rows, CHUNK_ROWS):
        n = rows.stop - rows.start
        topics = rng.integers(TOPICS, size=(n, 2))
        of_word = np.take_along_axis(topics, rng.integers(2, size=(n, WORDS)), 1)
        places = np.searchsorted(sums, rng.random((n, WORDS))).clip(max=columns - 1)
        words = orders[of_word, places].astype(np.int32).ravel()
        ends = np.arange(0, n * WORDS + 1, WORDS, dtype=np.int32)
        part = csr_array((np.ones(n * WORDS), words, ends), shape=(n, columns))
        part.sum_duplicates()
        part.data = 1 + np.log(part.data)
        lengths = np.sqrt(part.multiply(part).sum(axis=1))
        part.data /= np.repeat(lengths, np.diff(part.indptr))
        parts.append(part)
    return vstack(parts, format="csr")


if __name__ == "__main__":
    _fit(int(sys.argv[1]), int(sys.argv[2]))
