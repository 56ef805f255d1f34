# frozen_string_literal: true

require_relative "lib/pgconn/version"

Gem::Specification.new do |spec|
  spec.name = "pgconn"
  spec.version = Pgconn::VERSION
  spec.authors = ["The pgconn contributors"]
  spec.summary = "PostgreSQL sessions for Ruby: typed values, threads, fibers and deadlines over libpq"
  spec.description = <<~TEXT
    pgconn gives Ruby a PostgreSQL session with cursors, parameters bound on the server, values of
    the right class in both directions, an error class for each SQLSTATE, deadlines that cancel on the
    server, and waits that hold up neither threads nor Fiber schedulers.
  TEXT
  spec.homepage = "https://github.com/pgconn/pgconn"
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"
  spec.metadata = {
    "source_code_uri" => spec.homepage,
    "changelog_uri" => "#{spec.homepage}/blob/main/CHANGELOG.md",
    "bug_tracker_uri" => "#{spec.homepage}/issues",
    "rubygems_mfa_required" => "true"
  }

  shipped = %w[lib ext sig .yardopts CHANGELOG.md LICENSE README.md]
  spec.files = Dir.chdir(__dir__) do
    listed = begin
      IO.popen(%w[git ls-files --cached --others --exclude-standard] + shipped, err: File::NULL, &:read)
    rescue Errno::ENOENT
      ""
    end
    # Where git knows nothing, all that is there belongs to the gem.
    files = listed.empty? ? Dir.glob(["{lib,ext,sig}/**/*", *shipped]) : listed.lines(chomp: true)
    files.select { |file| File.file?(file) }
  end
  spec.extensions = ["ext/pgconn/extconf.rb"]
  spec.require_paths = ["lib"]

  # Comes with Ruby, as a default gem up to 3.3 and as a bundled one from 3.4 on.
  spec.add_dependency "bigdecimal", ">= 3.1"
end
