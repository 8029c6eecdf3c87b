"""The local model's server: llama.cpp's, on loopback.

usage: server.py MODEL THREADS CONTEXT

The key that requests have to carry stands in MODEL_KEY. Prints `port N` once the model is read and answers; ends at
SIGINT or SIGTERM.
"""

import os
import signal
import sys
import urllib.parse

# Read when the module is loaded: threads that wait must not spin, or a busy machine is slower by a factor of ten.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import xllamacpp  # noqa: E402

ENDS = {signal.SIGINT, signal.SIGTERM}


def settings(model, threads, context):
    chosen = xllamacpp.CommonParams()
    chosen.model.path = model
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.api_keys = [os.environ["MODEL_KEY"]]
    chosen.cors_origins = ""
    chosen.ui = False
    chosen.offline = True
    chosen.use_jinja = True
    chosen.n_ctx = context
    chosen.n_parallel = 1
    chosen.n_gpu_layers = 0
    chosen.cpuparams.n_threads = threads
    chosen.cpuparams_batch.n_threads = threads
    # A second, rearranged copy of the weights costs 650 MB and makes reading the prompt slower here.
    chosen.no_extra_bufts = True
    return chosen


def main():
    model, threads, context = sys.argv[1:]
    # Before the server starts its threads, so that all of them leave these signals to sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    server = xllamacpp.Server(settings(model, int(threads), int(context)))
    print("port", urllib.parse.urlsplit(server.listening_address).port, flush=True)
    signal.sigwait(ENDS)
    # Its threads would be waited for.
    os._exit(0)


main()
