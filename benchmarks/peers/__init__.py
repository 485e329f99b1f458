"""The peers: other ways to serve the same model on this machine.

Each has a module of its own, pinned versions in ``requirements/peers`` (or in a ``package.json`` in
``benchmarks/peers/services``), and an environment in ``.local/peers``. What runs in
that environment is in ``benchmarks/peers/services``.
"""
