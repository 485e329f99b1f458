#!/bin/sh
# AWS's images have a file of this name, which starts the emulator of the runtime interface. Here
# the function's process is started by LocalStack.
exec "$@"
