"""Fits and transforms, done again and again in one process, leave nothing behind."""

import tempfile
import threading
from pathlib import Path

import pytest
from conftest import tool


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="the figures are read from /proc"
)
def test_nothing_has_grown(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    began, told = threading.active_count(), []
    grown = tool("soak").soak(20, 2000, tmp_path, lambda *of: told.append(of))
    assert not grown, told
    assert threading.active_count() == began
    assert not list(temporary.glob("skae-*"))
