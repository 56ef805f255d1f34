# frozen_string_literal: true

module Pgconn
  # Paths as sources and sinks of a COPY: the file that they name is meant, as for IO.copy_stream. A
  # Pathname's own `read` and `write` are of whole files.
  # @api private
  module CopyPath
    # @return [Boolean] whether it names a file without being one
    def self.path?(object) = object.respond_to?(:to_path) && !object.respond_to?(:to_io)

    # Yields what takes each piece of data for a sink.
    # @param sink [#write, #to_path]
    def self.writer(sink)
      return yield sink.method(:write) unless path?(sink)

      File.open(sink, "wb") { |file| yield file.method(:write) }
    end
  end
  private_constant :CopyPath
end
