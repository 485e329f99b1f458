"""The peers: other ways to serve the same model on this machine.

Each peer is a module. Its packages are pinned in ``requirements/peers`` (or in a package.json in
``services``) and installed in ``.local/peers``. ``services`` has the code that runs with them.
"""
