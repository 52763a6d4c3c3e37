"""A real pool on loopback, for every tool and test that wants one:

    processes        a daemon, a `muster run`, a whole pool: started, heard, ended
    waiting          waiting for a condition
    relay            a line between a node and the server that can be cut, slow or half dead
    postgres         a PostgreSQL that comes, goes, freezes, and has COMMITs cut
    connect_proxy    an HTTP proxy, and what such a one does to those who use it
    namespaces       another machine, in a network namespace of its own
    stand_in_engine  an engine that does what a test says
    fake_hub         a Hugging Face Hub with one small model
    status           what a daemon says on its --status_port
    evaluation       what a task asks, and what one engine alone answers
    test_cases       the pool of a unittest
    programs         where the programs and the test models lie

Used by tools/ (demo, chaos, bench_busy, bench_large, check_parity), tests/system, tests/insider and tests/faults, whose programs put
tests/ on their path. All of it starts only processes of its own and ends them by their id, stays on 127.0.0.1 or
on a wire between two namespaces, and leaves neither a process nor a file behind. Needs nothing but Python's standard library,
and PostgreSQL's own programs for a PostgreSQL."""
