"""The benchmark that ``scripts/bench`` runs.

`__main__` runs the sections, each of which is a module: `cold`, `handler`, `warm`, `deploy`,
`growth` and `sizes`. In `warm`, this project's stack (`own`) and its `peers` take turns under the
same load (`load_generator`). All serve the same model, the `subject`. A `section` consists of
tables and plots; the console prints the tables, and `document` writes both.

``scripts/bench-model`` (`recipes`) and `artifact` are programs of their own.
"""
