"""The package that ships inside the Lambdas. It imports nothing: each handler pays for its own."""
