"""Lambda execution environments as local processes.

Reading order, from the outside in::

    executor          what LocalStack calls: prepare a version, start, invoke, stop
    environment       one execution environment: its layout, paths and variables
    function_process  one process in it: its start, its memory, its end
    outcome           how an invocation ended: answered, timed out, out of memory, exited
    namespace         AWS's paths as real mounts, made by bubblewrap
    launcher          becomes the function's process: namespaces, limits, user
    bootstrap         runs inside that process, before the handler
    runtime_api       the HTTP interface that the process polls for invocations
    output            the process's standard output and error, split into events
    report            START, END and REPORT, an invocation's whole log, and AWS's error payloads
    delivery          delivers that log to CloudWatch Logs
    metrics           counts invocations and errors for CloudWatch
    keepalive         the timers that stop idle environments
    memory            measures a process tree and enforces its memory size
    request_limit     the largest event of an invocation
    rollover          lets running invocations finish after an update
    layers            merges several layers into one folder
    hot_reload        detects changes in a function's folder
    runtimes          the interpreter of a runtime name, with AWS's runtime client
    processes         finds and kills whole process trees
    watchdog          a separate process that does so when LocalStack itself is killed
"""
