# frozen_string_literal: true

# Found ahead of the extension, which is linked into the fuzzers.
Fuzzer.init_extension
