# frozen_string_literal: true

require "rake/clean"

desc "Make the documentation, in doc/"
task :docs do
  sh "bundle", "exec", "yard", "doc", "--fail-on-warning"
end

CLOBBER.include("doc", ".yardoc")
