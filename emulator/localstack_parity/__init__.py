"""A LocalStack plugin that adds what the open edition lacks, such as Lambda without Docker."""
