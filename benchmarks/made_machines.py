"""Made machines: sensors that follow load, and failures of known times."""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

PER_DAY = 144
N_DAYS, TRAINING_DAYS = 70, 21


def made_machine(seed):
    """A machine's readings, its failures, and how many readings are before them.

    Parameters
    ----------
    seed : int

    Returns
    -------
    readings : DataFrame of shape (n_times, 4)
        Every 10 minutes.
    failures : list of (str, (Timestamp, Timestamp))
        What fails, and when.
    n_train : int
    """
    rng = np.random.default_rng(seed)
    n_times = N_DAYS * PER_DAY
    hour = np.arange(n_times) % PER_DAY / 6
    shift = 1 / (1 + np.exp(-4 * np.sin(2 * np.pi * (hour - 7) / 24)))
    load = 0.3 + 0.6 * shift + _slow(rng, n_times, 0.98, 0.08)
    speed = 1450 + 60 * load + 3 * rng.normal(size=n_times)
    heat = lfilter([0.05], [1, -0.95], load)  # follows load within hours
    temperature = 40 + 25 * heat + _slow(rng, n_times, 0.99, 1.0)
    temperature += 0.3 * rng.normal(size=n_times)
    vibration = 1.2 + 0.5 * load + 0.08 * rng.normal(size=n_times)
    current = 20 + 30 * load + 0.8 * rng.normal(size=n_times)

    days = rng.permutation(np.arange(4)) * 11 + TRAINING_DAYS + rng.uniform(3, 6, 4)
    starts = (days * PER_DAY).astype(int)
    worn, stuck, cooled, phase = (slice(start, start + n) for start, n in zip(
        starts, (3 * PER_DAY, PER_DAY // 2, PER_DAY, PER_DAY), strict=True
    ))  # fmt: skip
    vibration[worn] += np.linspace(0, 0.6, 3 * PER_DAY) ** 1.5
    speed[stuck] = speed[stuck.start]
    temperature[cooled] = 50 + 0.3 * rng.normal(size=PER_DAY)  # whatever the load
    current[phase] = 20 + 24 * load[phase] + 0.8 * rng.normal(size=PER_DAY)

    times = pd.date_range("2024-01-01", periods=n_times, freq="10min")
    columns = {"vibration": vibration, "temperature": temperature}
    columns |= {"current": current, "speed": speed}
    kinds = {
        "bearing wears": worn,
        "speed sticks": stuck,
        "temperature without load": cooled,
        "current too low": phase,
    }
    failures = [
        (kind, (times[part.start], times[part.stop])) for kind, part in kinds.items()
    ]
    return pd.DataFrame(columns, times), failures, TRAINING_DAYS * PER_DAY


def made_series(seed):
    """Series of one sensor in which nothing fails, and their names.

    Parameters
    ----------
    seed : int

    Yields
    ------
    name : str
    series : ndarray of shape (20000, 1)
    """
    rng, n_times = np.random.default_rng(seed), 20_000
    for memory in (10, 100, 500):
        name = f"autoregressive, {memory}"
        yield name, _slow(rng, n_times, 1 - 1 / memory, 1.0)[:, None]
    time = np.arange(n_times)
    waves = np.sin(time / 20) + 0.3 * np.sin(time / 333)
    yield "two waves", (waves + 0.1 * rng.normal(size=n_times))[:, None]


def _slow(rng, n_times, memory, deviation):
    """Noise (n_times,) that forgets slowly."""
    noise = rng.normal(size=n_times) * deviation * (1 - memory**2) ** 0.5
    return lfilter([1], [1, -memory], noise)
