# frozen_string_literal: true

require "open3"

# What the repository has and the gem leaves out.
development_only = %r{\A(
  \.(?!yardopts\z) | Gemfile | Rakefile | CONTRIBUTING\.md | pgconn\.gemspec |
  bench/ | bin/ | docs/ | examples/ | fuzz/ | rakelib/ | spec/
)}x

desc "Check that the gem has the files that it should, and no others"
task :check_manifest do
  listed, status = Open3.capture2("git", "ls-files", "--cached", "--others", "--exclude-standard")
  abort "git can't tell what belongs to the project" unless status.success?

  expected = listed.lines(chomp: true).grep_v(development_only)
  shipped = Bundler.load_gemspec("pgconn.gemspec").files
  problems = (expected - shipped).map { |file| "#{file} is not in the gem" } +
             (shipped - expected).map { |file| "#{file} should not be in the gem" }
  abort problems.join("\n") if problems.any?
  puts "manifest: #{shipped.size} files"
end
