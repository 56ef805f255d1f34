# frozen_string_literal: true

desc "Open IRB on a throw-away server"
task :console do
  Bundler.with_unbundled_env { sh "bin/console", verbose: false }
end
