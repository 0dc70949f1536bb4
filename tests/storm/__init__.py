"""A busy hour in which everything dies again and again, and an account at its end: was any promise broken?

python -m tests.storm [--seconds N] [--seed S] [--incidents N] [--workers N] [--beats N] [--kills N]       (make storm)

PostgreSQL, Redis, a mail server, a webhook's receiver, workers and beats are started here and killed here; ports are closed,
a disk is filled, the clock of one worker is stepped. People go on meanwhile: awareness times that move deadlines, new facts,
counts, documents, drafts and filings, evidence. The seed decides what is done and what is killed when; how the processes
interleave is the machine's affair. Exit status 1 when a promise was broken.
"""
