"""Memory that trainings free and need again."""

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np, torch
from skae import AutoencoderTransformer

def faults(function):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def large_tensors():
    for _ in range(5):  # more at once than what fits have left free
        tensors = [torch.ones(2**20) for _ in range(40)]
        del tensors

X = np.random.default_rng(0).normal(size=(2000, 64))
model = AutoencoderTransformer(
    4, hidden_layer_sizes=(1024,), batch_size=500, max_iter=8, early_stopping=False
)
model.fit(X)
print(faults(lambda: model.fit(X)), faults(large_tensors))
"""


def counted(environment):
    """Pages that were asked for by a fit, and by tensors that are freed in turn."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-W", "ignore", "-c", FAULTS]
    found = subprocess.check_output(command, env=environment, text=True)
    return map(int, found.split())


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is that of Linux")
def test_steps_use_the_same_memory_where_dask_has_it_given_back():
    usual, _ = counted({})
    fitting, elsewhere = counted({"MALLOC_TRIM_THRESHOLD_": "65536"})
    assert fitting < 3 * usual + 20_000
    # Outside of fits it is as it was configured: pages are given back and asked for.
    assert elsewhere > 50_000
