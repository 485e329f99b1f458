"""Brings in pipelines that were fitted elsewhere: objects in modules, skops files, and pickles.

A pickle runs code when it is read, so that only `pickled` reads one, in a process of its own.
"""
