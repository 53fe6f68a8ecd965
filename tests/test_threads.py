"""Threads: as many as are fastest, always with the bits of one thread."""

import threading

import pytest
import torch

from skae._utils.threads import Threads, threads, usable_threads


class Machine:
    """A clock, and steps that take as long as the machine's load lets them."""

    def __init__(self, seconds, share=1.0, free=True):
        self.seconds = seconds  # of a step, by the number of threads
        self.share = share  # of a core that the thread gets
        self.free = free
        self.now = self.own = 0.0
        self.taken = []  # threads of each step

    def chooser(self, most=2, trial=lambda: [lambda: [torch.ones(3)]]):
        clocks = (lambda: self.now), (lambda: self.own)
        return Threads(trial, most, clocks=clocks, has_cores=lambda n: self.free)

    def step(self):
        n = torch.get_num_threads()
        self.taken.append(n)
        self.now += self.seconds[n]
        self.own += self.share * self.seconds[n]
        return n

    def run(self, chooser, steps):
        """Number of threads of each of the steps."""
        self.taken = []
        with threads(1):
            for _ in range(steps):
                chooser.run(self.step)
        return self.taken

    def spent(self):
        return sum(self.seconds[n] for n in self.taken)


FASTER = {1: 1.0, 2: 0.6, 4: 0.4, 8: 0.5}
SLOWER = {1: 1.0, 2: 20.0, 4: 20.0, 8: 20.0}


def test_begins_with_one_and_takes_more_where_that_is_faster():
    machine = Machine(FASTER)
    taken = machine.run(machine.chooser(), 2000)
    assert taken[:16] == [1] * 16
    assert machine.spent() < 1.05 * 0.6 * len(taken) + 16


def test_finds_the_fastest_of_many():
    machine = Machine(FASTER)
    chooser = machine.chooser(most=8)
    machine.run(chooser, 2000)
    assert chooser.n_threads == 4


def test_slow_threads_cost_little():
    machine = Machine(SLOWER)
    chooser = machine.chooser()
    machine.run(chooser, 5000)
    assert chooser.n_threads == 1
    assert machine.spent() < 1.05 * 5000


@pytest.mark.parametrize("busy", [{"share": 0.5}, {"free": False}])
def test_one_thread_stays_while_there_are_no_free_cores(busy):
    machine = Machine(FASTER, **busy)
    assert set(machine.run(machine.chooser(), 500)) == {1}


def test_comes_back_to_one_when_others_come_and_climbs_when_they_leave():
    machine = Machine(FASTER)
    chooser = machine.chooser()
    machine.run(chooser, 100)
    assert chooser.n_threads == 2
    machine.seconds, machine.share = SLOWER, 0.5
    assert machine.run(chooser, 500).count(2) <= 2
    machine.seconds, machine.share = FASTER, 1.0
    machine.run(chooser, 3000)
    assert chooser.n_threads == 2


def test_other_bits_leave_one_thread():
    def trial():
        yield lambda: [torch.ones(2), torch.tensor(torch.get_num_threads())]

    machine = Machine(FASTER)
    assert set(machine.run(machine.chooser(trial=trial), 500)) == {1}


def test_more_threads_than_give_the_same_bits_are_not_taken():
    def trial():
        yield lambda: [torch.tensor(float("nan") if torch.get_num_threads() < 4 else 0)]

    machine = Machine(FASTER)
    assert set(machine.run(machine.chooser(8, trial), 500)) == {1, 2}


def test_failing_trial_leaves_one_thread():
    def trial():
        raise RuntimeError("cannot be copied")

    machine = Machine(FASTER)
    assert set(machine.run(machine.chooser(trial=trial), 500)) == {1}


def test_trial_is_made_once():
    made = []

    def trial():
        made.append(torch.get_num_threads())
        return []

    machine = Machine(FASTER)
    machine.run(machine.chooser(trial=trial), 1000)
    assert made == [1]


def test_one_usable_thread_needs_no_clock():
    chooser = Threads(None, 1, clocks=None)
    assert [chooser.run(abs, -i) for i in range(50)] == list(range(50))


def test_what_is_no_step_gets_the_chosen_number():
    machine = Machine(FASTER)
    chooser = machine.chooser()
    with threads(1):
        assert chooser.run_once(torch.get_num_threads) == 1
        machine.run(chooser, 100)
        assert chooser.run_once(torch.get_num_threads) == chooser.n_threads == 2


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])],
)
def test_counts_are_powers_of_two_and_the_most(most, counts):
    assert Threads(None, most)._counts == counts


def test_number_is_restored():
    before = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt), threads(3):
        assert torch.get_num_threads() == 3
        with threads(1):
            assert torch.get_num_threads() == usable_threads() == 1
        assert torch.get_num_threads() == 3
        raise KeyboardInterrupt
    assert torch.get_num_threads() == before


def test_failing_step_restores_the_number():
    def step():
        if torch.get_num_threads() == 2:
            raise ValueError
        return machine.step()

    machine = Machine(FASTER)
    chooser = machine.chooser()
    with threads(1):
        with pytest.raises(ValueError):
            for _ in range(100):
                chooser.run(step)
        assert torch.get_num_threads() == 1


@pytest.mark.skipif(
    not torch.backends.openmp.is_available(), reason="torch has threads of another kind"
)
def test_other_threads_keep_their_numbers():
    seen = {}
    ready, go = threading.Event(), threading.Event()

    def earlier():
        torch.get_num_threads()  # has used torch by now
        ready.set()
        go.wait()
        seen["earlier"] = torch.get_num_threads()

    def later():
        seen["later"] = torch.get_num_threads()

    before = torch.get_num_threads()
    first, second = threading.Thread(target=earlier), threading.Thread(target=later)
    first.start()
    ready.wait()
    with threads(before + 2):
        second.start()
        second.join()
        go.set()
        first.join()
    assert seen == {"earlier": before, "later": before}
