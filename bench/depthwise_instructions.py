#!/usr/bin/env python3
"""Counts the instructions of the depthwise kernels, an output element, from their machine code: no GPU needed.

Compiles kernels/cuda/device/depthwise.cu for one architecture and disassembles them (nvcc; cuobjdump and nvdisasm of the
CUDA toolkit or of the Python packages nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm). What a thread executes is the
shortest path through the code that stores all of its outputs: no activation, no residual, nothing beyond the image's edge.
A loop's body counts as often as a thread goes round it: kernel rows for strips; for matrix units the rows of the tile that
TILES names, of which each warp computes one piece.

usage: depthwise_instructions.py [--arch sm_90] [--type f16] [--cubin FILE.. | --nvcc nvcc]
"""
import argparse
import collections
import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent.parent
LINE = re.compile(r"^\s+/\*([0-9a-f]+)\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z0-9_.]+)\s*(.*?)\s*;")
STRIPS = re.compile(r"DepthwiseKernelI(6__half|13__nv_bfloat16|f)Li(\d+)ELi(\d+)ELi(\d+)ELi(\d+)E")
TENSOR = re.compile(r"DepthwiseTensorKernelI(6__half|13__nv_bfloat16)Li(\d+)ELi(\d+)E")
# (kernel, stride): pairs of channel vectors, column groups, bands, rows of a band that depthwise_tensor_tilings() takes first
# at batch 64 on 132 multiprocessors for 384 x 14 x 14, 96 x 112 x 112, 672 x 14 x 14 and 240 x 56 x 56.
TILES = {(3, 1): (4, 2, 2, 7), (3, 2): (3, 1, 2, 4), (5, 1): (3, 2, 1, 14), (5, 2): (1, 4, 2, 2)}
TYPE_NAMES = {"6__half": "f16", "13__nv_bfloat16": "bf16", "f": "f32"}
sys.setrecursionlimit(20000)


class Code:
    """One kernel: its instructions, and where each may go on."""

    def __init__(self, lines):
        self.at = [int(address, 16) for address, *_ in lines]
        self.guard = [guard for _, guard, *_ in lines]
        self.operation = [operation for _, _, operation, _ in lines]
        index = {address: i for i, address in enumerate(self.at)}
        self.next = []
        for i, (_, guard, operation, operands) in enumerate(lines):
            name = operation.split(".")[0]
            following = [i + 1] if i + 1 < len(lines) else []
            if name == "EXIT":
                self.next.append(following if guard else [])
            elif name == "BRA":
                target = index[int(re.findall(r"0x([0-9a-f]+)", operands)[-1], 16)]
                always = guard is None and not re.match(r"!?U?P\d", operands)
                self.next.append([target] if always else [target] + following)
            else:
                self.next.append(following)
        self.back = self.back_edges()

    def back_edges(self):
        """Jumps to what is on the way from the entry to them: each closes a loop."""
        back, state, stack = set(), {0: 1}, [(0, iter(self.next[0]))]
        while stack:
            node, successors = stack[-1]
            for to in successors:
                if state.get(to) == 1:
                    back.add((node, to))
                elif to not in state:
                    state[to] = 1
                    stack.append((to, iter(self.next[to])))
                    break
            else:
                state[node] = 2
                stack.pop()
        return back

    def path(self, start, ends):
        """From `start` to one of `ends`, each loop once: most stores, then most matrix products, then fewest instructions."""
        @functools.lru_cache(None)
        def best(node):
            name = self.operation[node].split(".")[0]
            own = (name == "STG", name in ("HMMA", "LDGSTS"), -1)
            if node in ends:
                return own, (node,)
            found = None
            for to in self.next[node]:
                if (node, to) in self.back:
                    continue
                rest = best(to)
                if rest is None:
                    continue
                value = tuple(a + b for a, b in zip(own, rest[0]))
                if found is None or value > found[0]:
                    found = value, to
            return found and (found[0], (node, *best(found[1])[1]))
        found = best(start)
        return list(found[1]) if found else []

    def loops(self):
        """[(path once round)], in the order of the code."""
        return [self.path(to, {node}) for node, to in sorted(self.back, key=lambda edge: self.at[edge[1]])]

    def straight(self):
        exits = {i for i, operation in enumerate(self.operation)
                 if operation.split(".")[0] == "EXIT" and self.guard[i] is None}
        return self.path(0, exits)

    def histogram(self, nodes):
        return collections.Counter(self.operation[i].split(".")[0] for i in nodes)


def disassembled(cubin, cuobjdump):
    text = subprocess.run([cuobjdump, "-sass", cubin], check=True, capture_output=True, text=True).stdout
    kernels, lines = {}, None
    for line in text.splitlines():
        if "Function :" in line:
            lines = kernels.setdefault(line.split(":", 1)[1].strip(), [])
        elif lines is not None and (match := LINE.match(line)):
            if match[3] != "NOP":
                lines.append(match.groups())
    usage = subprocess.run([cuobjdump, "-res-usage", cubin], check=True, capture_output=True, text=True).stdout
    resources = {}
    for name, registers, stack, local in re.findall(
            r"Function (\S+):\s+REG:(\d+) STACK:(\d+) SHARED:\d+ LOCAL:(\d+)", usage):
        resources[name] = (int(registers), int(stack) + int(local))
    return {name: (Code(lines), resources[name]) for name, lines in kernels.items()}


def strips(match, code):
    """(name, outputs of a thread, what it executes)."""
    kernel, stride, strip = int(match[3]), int(match[4]), int(match[5])
    what = code.histogram(code.straight())
    for path in code.loops():
        add(what, code.histogram(path), kernel - 1)
    return f"{kernel}x{kernel} s{stride} strip{strip}", strip * int(match[2]), what


def tensor(match, code):
    kernel, stride = int(match[2]), int(match[3])
    pairs, groups, bands, rows = TILES[kernel, stride]
    columns = (8 * groups - 1) * stride + kernel
    staged_rows = (bands * rows - 1) * stride + kernel
    threads = 32 * min(8, pairs * groups * bands // 2)
    slots = 2 * pairs * columns / threads  # columns of a channel vector that a thread copies, in the mean
    what = code.histogram(code.straight())
    copies, walks = [], []
    for path in code.loops():
        names = code.histogram(path)
        (walks if names["HMMA"] else copies if names["LDGSTS"] else []).append(names)
    by_length = lambda names: sum(names.values())
    copy_rows, copy_slots = min(copies, key=by_length), max(copies, key=by_length)
    add(what, copy_slots, slots - 1)
    add(what, copy_rows, slots * (staged_rows - copy_slots["LDGSTS"]) / copy_rows["LDGSTS"])
    add(what, min(walks, key=by_length), rows - 1)
    return f"{kernel}x{kernel} s{stride} tensor", 8 * rows, what


def add(total, more, times):
    for name, count in more.items():
        total[name] += count * times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--type", default="f16", choices=sorted(TYPE_NAMES.values()))
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--cuobjdump", default="cuobjdump")
    parser.add_argument("--cubin", nargs="*", help="compiled already")
    options = parser.parse_args()
    for tool in [options.cuobjdump] + ([] if options.cubin else [options.nvcc]):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not in PATH")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cubins = options.cubin or []
        if not cubins:
            source = FOLDER / "kernels/cuda/device/depthwise.cu"
            cubins.append(f"{folder}/{source.stem}.cubin")
            subprocess.run([options.nvcc, "-std=c++20", "-O3", "-DNDEBUG", f"-arch={options.arch}", "-cubin", f"-I{FOLDER}",
                            "-o", cubins[-1], source], check=True)
        for cubin in cubins:
            for name, (code, (registers, spilled)) in disassembled(cubin, options.cuobjdump).items():
                for pattern, describe in ((STRIPS, strips), (TENSOR, tensor)):
                    match = pattern.search(name)
                    if match and TYPE_NAMES[match[1]] == options.type and "0" not in match.groups()[1:]:
                        rows.append((*describe(match, code), registers, spilled))
    print(f"{options.type}, {options.arch}\n")
    print("| kernel | registers | spilled bytes | instructions an output | of these loads and stores | products | conversions and merges |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, outputs, what, registers, spilled in sorted(rows, key=lambda row: row[0]):
        memory = sum(what[key] for key in ("LDG", "STG", "LDS", "STS", "LDSM", "LDGSTS"))
        products = sum(what[key] for key in ("FFMA", "HMMA"))
        conversions = sum(what[key] for key in ("HADD2", "PRMT", "F2FP", "F2F", "SHFL"))
        print(f"| {name} | {registers} | {spilled} | {sum(what.values()) / outputs:.1f} | {memory / outputs:.2f} | "
              f"{products / outputs:.2f} | {conversions / outputs:.2f} |")


if __name__ == "__main__":
    main()
