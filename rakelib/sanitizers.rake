# frozen_string_literal: true

require_relative "extension_build"

# The specs with an extension that a compiler's sanitizer watches over. Its runtime has to be there
# first, so it is preloaded into a Ruby that knows nothing of it.
class SanitizedSpecs
  CPU = RbConfig::CONFIG["host_cpu"]

  # What a runtime is called, by the compiler that it comes with.
  RUNTIMES = {
    "asan" => { "gcc" => "libasan.so", "clang" => "libclang_rt.asan-#{CPU}.so" },
    "ubsan" => { "gcc" => "libubsan.so", "clang" => "libclang_rt.ubsan_standalone-#{CPU}.so" }
  }.freeze

  # Not the stack: functions that Ruby's exceptions leave don't tell AddressSanitizer that their frames
  # are gone, and what comes to lie there would be reported. The fuzzers watch over the stack.
  FLAGS = {
    "asan" => { "gcc" => "-fsanitize=address --param=asan-stack=0",
                "clang" => "-fsanitize=address -mllvm -asan-stack=0" },
    "ubsan" => Hash.new("-fsanitize=undefined,float-cast-overflow")
  }.freeze

  # Ruby frees none of what its objects hold when it ends (leaks are valgrind's subject), looks for
  # references on the stack only, and has a signal stack and a handler of SIGSEGV of its own.
  OPTIONS = {
    "ASAN_OPTIONS" => "detect_leaks=0:detect_stack_use_after_return=0:use_sigaltstack=0:handle_segv=0",
    "UBSAN_OPTIONS" => "print_stacktrace=1"
  }.freeze

  # Without these words it is but a warning of the runtime.
  REPORT = /ERROR: AddressSanitizer|runtime error:|Sanitizer.*CHECK failed/

  # @param sanitizer [String] asan or ubsan
  def initialize(sanitizer)
    @sanitizer = sanitizer
    @directory = File.expand_path("../tmp/#{sanitizer}", __dir__)
  end

  # @return [Boolean] whether they passed
  def run(specs)
    compiler, runtime = toolchain
    build(compiler)
    FileUtils.rm_f(report_files)
    system(environment(runtime), RbConfig.ruby, "-rbundler/setup",
           Gem.bin_path("rspec-core", "rspec"), *specs)
  end

  # What was found, in this process or in those that it has started.
  def reports
    report_files.map { |path| File.read(path) }.grep(REPORT)
  end

  private

  def toolchain
    ExtensionBuild.compilers.each do |compiler|
      name = RUNTIMES.fetch(@sanitizer)[kind(compiler)]
      path = IO.popen([compiler, "-print-file-name=#{name}"], &:read).strip
      return [compiler, File.realpath(path)] if File.absolute_path?(path)
    end
    abort "#{@sanitizer}'s runtime is missing; on Debian and Ubuntu it comes with gcc"
  end

  def build(compiler)
    flags = FLAGS.fetch(@sanitizer)[kind(compiler)]
    build = ExtensionBuild.new(File.join(@directory, "build"),
                               compiler: "#{compiler} #{flags} -fno-omit-frame-pointer",
                               # The C library's checks would stand where the sanitizer's should.
                               options: %w[--with-cppflags=-U_FORTIFY_SOURCE])
    build.run
    FileUtils.mkdir_p(File.join(@directory, "pgconn"))
    FileUtils.cp(build.library, File.join(@directory, "pgconn"))
  end

  def environment(runtime)
    log = "log_path=#{@directory}/report"
    OPTIONS.transform_values { |options| "#{options}:#{log}" }
           .merge("LD_PRELOAD" => runtime, "PGCONN_EXT" => @directory)
  end

  def kind(compiler) = compiler[/[a-z]+/]

  def report_files = Dir["#{@directory}/report.*"]
end

namespace :spec do
  { asan: "AddressSanitizer", ubsan: "UndefinedBehaviorSanitizer" }.each do |sanitizer, name|
    desc "Run the specs (or those of SPEC) with #{name}"
    task sanitizer do
      specs = SanitizedSpecs.new(sanitizer.to_s)
      passed = specs.run(ENV["SPEC"].to_s.split)
      reports = specs.reports
      puts reports, "#{name}: #{reports.size} processes with reports"
      abort unless passed && reports.empty?
    end
  end
end
