"""Lambda execution environments as local processes.

Reading order, from the outside in::

    executor      what LocalStack calls: prepare a version, start, invoke, stop
    environment   one function process and everything that belongs to it
    runtime_api   the HTTP interface that the process polls for invocations
    output        the process's standard output, cut into the logs of invocations
    report        the START, END and REPORT lines, and AWS's error payloads
    runtimes      the interpreter, with AWS's runtime client, that a runtime name stands for
    processes     finding and killing whole process trees
    watchdog      a separate process that does so when LocalStack itself is killed
    bootstrap     runs inside the function's process, before the handler
"""
