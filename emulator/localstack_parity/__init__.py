"""A LocalStack plugin that gives its open edition what it lacks: Lambda without Docker."""
