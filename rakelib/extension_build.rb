# frozen_string_literal: true

require "fileutils"
require "rbconfig"
require "shellwords"

# A build of the extension beside the one in lib, by another compiler or with other options.
class ExtensionBuild
  SOURCES = File.expand_path("../ext/pgconn", __dir__)

  # The compilers that are installed of these kinds, one each, by their plain name where there is one.
  def self.compilers(kinds = %w[gcc clang])
    kinds.filter_map do |kind|
      [kind, *(10..30).map { |version| "#{kind}-#{version}" }].find do |name|
        system(name, "--version", out: File::NULL, err: File::NULL)
      end
    end
  end

  # @param directory [String] is kept for the next time
  # @param compiler [String] the command, with options that are for compiling and for linking
  # @param options [Array<String>] extconf.rb's
  def initialize(directory, compiler:, options: [])
    @directory = directory
    @compiler = compiler
    @options = options
  end

  attr_reader :directory

  # The extension; its object files lie beside it.
  def library = File.join(@directory, "pgconn_ext.#{RbConfig::CONFIG["DLEXT"]}")

  # Compiles what is not up to date.
  #
  # @raise [SystemExit] with what the compiler says, where it fails
  def run
    FileUtils.mkdir_p(@directory)
    log = File.join(@directory, "build.log")
    commands = [[RbConfig.ruby, File.join(SOURCES, "extconf.rb"), *@options], %w[make]]
    succeeded = commands.all? do |command|
      system({ "CC" => @compiler }, *command, chdir: @directory, %i[out err] => [log, "a"])
    end
    abort "#{File.read(log)}\n#{@compiler} has warnings or errors" unless succeeded
  ensure
    FileUtils.rm_f(log)
  end

  # Compiles more files in the way of the extension.
  #
  # @param arguments [Array<String>] for the compiler; paths in them are relative to the directory
  # @return [Boolean] whether that has succeeded
  def compile(*arguments)
    system(*@compiler.split, *words("INCFLAGS", "CPPFLAGS", "CFLAGS"), *arguments, chdir: @directory)
  end

  # Compiles them to a program, with what is needed for a Ruby in it.
  def link(program, *arguments)
    compile(*arguments, "-rdynamic", *words("LIBPATH", "LIBRUBYARG", "LIBS"), "-o", program)
  end

  private

  # What variables of the Makefile say.
  def words(*variables)
    rule = "--eval=print-variables: ; @echo #{variables.map { |name| "$(#{name})" }.join(" ")}"
    IO.popen(["make", "--silent", rule, "print-variables"], chdir: @directory, &:read).shellsplit
  end
end
