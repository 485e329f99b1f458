"""A LocalStack plugin that gives the open edition what it lacks: Lambda functions without Docker."""
