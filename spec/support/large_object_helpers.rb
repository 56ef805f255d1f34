# frozen_string_literal: true

require "tempfile"
require "tmpdir"

# Large objects that are there, and files.
module LargeObjectHelpers
  # @return [Integer] the OID of a large object that is committed
  def committed(content)
    observe("SELECT lo_from_bytea(0, $1)", [content.b])
  end

  # What the server has of it, and other sessions see.
  def content_of(oid)
    observe("SELECT lo_get($1)", [oid])
  end

  def exists?(oid)
    observe("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = $1", [oid]) == 1
  end

  # @yield [String] the path of a file with that content
  def with_file(content)
    Tempfile.create("pgconn") do |file|
      file.binmode
      file.write(content)
      file.close
      yield file.path
    end
  end

  # Bytes that are no text, and differ from place to place.
  def sample(size)
    Random.new(size).bytes(size)
  end
end
