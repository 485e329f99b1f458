"""How much the benchmark measures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The options of the command line.

    Attributes
    ----------
    peers : bool
        Whether to compare with peers.
    quick : bool
        Fewer rounds and sizes, to see that everything works, not to compare.
    requests : int
        Requests in each measurement under load, of all clients together.
    data : str or None
        Reviews to train on, as for ``scripts/up``.
    """

    peers: bool = False
    quick: bool = False
    requests: int = 400
    data: str | None = None

    @property
    def load_rounds(self) -> int:
        """Number of rounds under load."""
        return 2 if self.quick else 7

    @property
    def cold_rounds(self) -> int:
        """Number of starts of each variant."""
        return 2 if self.quick else 9

    @property
    def deploy_rounds(self) -> int:
        """Number of emulators that are started and deployed to."""
        return 1 if self.quick else 3

    @property
    def growth_rounds(self) -> int:
        """Number of fresh processes for each form and size of a model."""
        return 1 if self.quick else 3

    @property
    def vocabularies(self) -> tuple[int, ...]:
        """Sizes of the vocabularies, in terms."""
        return (10_000, 100_000) if self.quick else (10_000, 30_000, 100_000, 300_000, 1_000_000)
