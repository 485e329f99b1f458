"""Lambda execution environments as local processes.

Reading order, from the outside in::

    executor      what LocalStack calls: prepare a version, start, invoke, stop
    environment   one function process: its variables, its start, its end
    namespace     AWS's paths as real mounts, by bubblewrap
    launcher      turns into the function's process: namespaces, limits, user
    bootstrap     runs inside that process, before the handler
    runtime_api   the HTTP interface that the process polls for invocations
    output        the process's standard output and error, cut into events
    outcome       how an invocation ended: answered, timed out, out of memory, exited
    report        START, END and REPORT, an invocation's whole log, and AWS's error payloads
    delivery      that log's way to CloudWatch Logs
    metrics       how many invocations there were, and how many failed, for CloudWatch
    keepalive     the timers that end environments which nobody uses
    memory        what a process tree uses, and what happens when it is too much
    request_limit the largest event of an invocation
    rollover      an update lets running invocations finish
    layers        several layers in one folder
    hot_reload    whether a function's folder has changed
    runtimes      the interpreter, with AWS's runtime client, that a runtime name stands for
    processes     finding and killing whole process trees
    watchdog      a separate process that does so when LocalStack itself is killed
"""
