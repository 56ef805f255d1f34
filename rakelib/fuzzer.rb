# frozen_string_literal: true

require "digest"
require_relative "extension_build"

# One of the fuzzers in fuzz/: a C file for libFuzzer, compiled together with the extension.
class Fuzzer
  FOLDER = File.expand_path("../fuzz", __dir__)
  WORK = File.expand_path("../tmp/fuzz", __dir__)

  # Undefined behaviour ends the process, as what AddressSanitizer finds does.
  SANITIZERS = "address,undefined,float-cast-overflow"
  FLAGS = "-fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer"

  # An input of so many bytes that takes longer, or more memory at once, is a finding, too. Leaks are
  # valgrind's subject.
  OPTIONS = %w[-max_len=4096 -timeout=10 -malloc_limit_mb=64 -rss_limit_mb=2048 -detect_leaks=0
               -verbosity=0 -print_final_stats=1].freeze

  NEEDED = "The fuzzers need clang with libFuzzer; on Debian and Ubuntu: " \
           "apt-get install clang libclang-rt-dev"

  class << self
    # What is required at run time, as C strings.
    def paths
      { "FUZZ_LIB" => File.join(FOLDER, "lib"), "PGCONN_LIB" => File.expand_path("../lib", __dir__) }
        .map { |name, path| "-D#{name}=#{path.inspect}" }
    end

    # The extension, built with counters by which libFuzzer sees what an input leads to.
    def build
      @build ||= ExtensionBuild.new(
        File.join(WORK, "build"),
        compiler: "#{compiler} -fsanitize=fuzzer-no-link,#{SANITIZERS} #{FLAGS}",
        options: %w[--with-cppflags=-U_FORTIFY_SOURCE]
      ).tap(&:run)
    end

    def compiler
      @compiler ||= ExtensionBuild.compilers(%w[clang]).first || abort(NEEDED)
    end
  end

  # @param name [String] of the C file
  # @param dictionary [String] a file with what inputs are made of
  # @param objects [String] the extension's object files that it is linked with
  # @param sources [Array<String>] what else belongs to it
  def initialize(name, dictionary:, objects: "*.o", sources: [])
    @name = name
    @dictionary = File.join(FOLDER, dictionary)
    @objects = objects
    @sources = ["#{name}.c", *sources].map { |source| File.join(FOLDER, source) }
  end

  # Adds to the inputs with which it begins.
  def seed(inputs)
    FileUtils.mkdir_p(seeds)
    inputs.each { |input| File.binwrite(File.join(seeds, Digest::SHA1.hexdigest(input)), input) }
  end

  # Runs what an earlier run has found, and then as many new inputs as the time allows.
  #
  # @raise [SystemExit] where something is found
  def run(seconds)
    compile
    folders = [corpus, findings, seeds]
    FileUtils.mkdir_p(folders)
    options = ["-max_total_time=#{seconds}", "-artifact_prefix=#{findings}/", "-dict=#{@dictionary}"]
    succeeded = system(program, *OPTIONS, *options, *folders)
    abort "#{@name}: the input is in #{findings}" unless succeeded
  end

  private

  # libFuzzer adds to the first of them what led to something new.
  def corpus = File.join(WORK, "corpus", @name)
  def findings = File.join(FOLDER, "findings", @name)
  def seeds = File.join(WORK, "seeds", @name)

  def program = File.join(WORK, @name)

  def compile
    build = self.class.build
    objects = Dir.glob(@objects, base: build.directory)
    succeeded = build.link(program, "-fsanitize=fuzzer", *self.class.paths, *@sources, *objects)
    abort "#{@name} can't be built. #{NEEDED}" unless succeeded
  end
end
