# frozen_string_literal: true

# Where the specs, and the Rubies that they start, load pgconn from: lib, but the extension from the
# folder PGCONN_EXT where it is set. There is another build of it, rake spec:asan's for instance.
module LoadPath
  EXTENSION = ENV["PGCONN_EXT"]
  FOLDERS = [EXTENSION, File.expand_path("../../lib", __dir__)].compact.freeze

  # Lest the specs pass with the wrong one.
  def self.verify
    loaded = $LOADED_FEATURES.grep(%r{/pgconn_ext\.[^/]+\z}).first
    raise "#{loaded} is not in #{EXTENSION}" if EXTENSION && !loaded.start_with?(EXTENSION)
  end
end
