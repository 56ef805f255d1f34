# frozen_string_literal: true

require "rake/extensiontask"

extension = Rake::ExtensionTask.new("pgconn_ext") do |task|
  task.ext_dir = "ext/pgconn"
  task.lib_dir = "lib/pgconn"
  task.source_pattern = "*.{c,h}"
end

# The Makefile lists the C files, so it is made again when the directory gets or loses one.
makefile = File.join(extension.tmp_dir, extension.platform, extension.name, RUBY_VERSION, "Makefile")
file makefile => extension.ext_dir
