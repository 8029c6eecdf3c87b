"""Writes a model of one layer with made-up weights: large enough to go through the server's arithmetic, and no more.

usage: tiny.py FILE

The format is GGUF, version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Its matrices are of the kinds that
the real model's are of, Q4_K and Q6_K.
"""

import random
import struct
import sys

WIDTH = 256
HIDDEN = 512
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
F32, Q4_K, Q6_K = 0, 12, 14
# Values in one block, and its bytes.
BLOCK = {F32: (1, 4), Q4_K: (256, 144), Q6_K: (256, 210)}
ALIGNMENT = 32

source = random.Random(1)


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pack(kind, value):
    if kind == STRING:
        return text(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], value)


def entry(key, kind, value):
    return text(key) + struct.pack("<I", kind) + pack(kind, value)


def entries(key, kind, values):
    head = text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(pack(kind, value) for value in values)


def block(kind):
    small = struct.pack("<e", 0.001)
    if kind == F32:
        return struct.pack("<f", 1.0)
    if kind == Q4_K:
        return small + small + source.randbytes(140)
    return source.randbytes(208) + small


def data(kind, shape):
    count = 1
    for length in shape:
        count *= length
    return b"".join(block(kind) for _ in range(count // BLOCK[kind][0]))


def main():
    # The vocabulary of a byte model: three marks, then every byte.
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    about = [
        entry("general.architecture", STRING, "llama"),
        entry("llama.context_length", UINT32, 512),
        entry("llama.embedding_length", UINT32, WIDTH),
        entry("llama.block_count", UINT32, 1),
        entry("llama.feed_forward_length", UINT32, HIDDEN),
        entry("llama.attention.head_count", UINT32, 4),
        entry("llama.attention.head_count_kv", UINT32, 4),
        entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        entry("tokenizer.ggml.model", STRING, "llama"),
        entries("tokenizer.ggml.tokens", STRING, tokens),
        entries("tokenizer.ggml.scores", FLOAT32, [0.0] * len(tokens)),
        entries("tokenizer.ggml.token_type", INT32, kinds),
        entry("tokenizer.ggml.unknown_token_id", UINT32, 0),
        entry("tokenizer.ggml.bos_token_id", UINT32, 1),
        entry("tokenizer.ggml.eos_token_id", UINT32, 2),
    ]
    tensors = [
        ("token_embd.weight", Q4_K, (WIDTH, len(tokens))),
        ("output_norm.weight", F32, (WIDTH,)),
        ("output.weight", Q6_K, (WIDTH, len(tokens))),
        ("blk.0.attn_norm.weight", F32, (WIDTH,)),
        ("blk.0.attn_q.weight", Q4_K, (WIDTH, WIDTH)),
        ("blk.0.attn_k.weight", Q4_K, (WIDTH, WIDTH)),
        ("blk.0.attn_v.weight", Q6_K, (WIDTH, WIDTH)),
        ("blk.0.attn_output.weight", Q4_K, (WIDTH, WIDTH)),
        ("blk.0.ffn_norm.weight", F32, (WIDTH,)),
        ("blk.0.ffn_gate.weight", Q4_K, (WIDTH, HIDDEN)),
        ("blk.0.ffn_up.weight", Q4_K, (WIDTH, HIDDEN)),
        ("blk.0.ffn_down.weight", Q6_K, (HIDDEN, WIDTH)),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(about)) + b"".join(about)
    body = b""
    for name, kind, shape in tensors:
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", kind, len(body))
        body += data(kind, shape)
        body += bytes(-len(body) % ALIGNMENT)
    with open(sys.argv[1], "wb") as out:
        out.write(head + bytes(-len(head) % ALIGNMENT) + body)


main()
