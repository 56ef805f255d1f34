# frozen_string_literal: true

module Pgconn
  class Connection
    # Large objects: up to 4 TB each, which the server keeps outside of tables, by their OID.

    # Opens a large object, or creates one. As all that is done with it, that is part of a transaction, which
    # begins with it where none is open.
    #
    # @param oid [Integer] that of the object; 0 creates one
    # @param mode [String, Symbol, nil] `r` to read, `w` or `rw` to write and read, `n` not to open it;
    #   followed by `b`, the default, for bytes, or `t` for text in the client encoding. nil is `r`, or `rw`
    #   for a new one
    # @param new_oid [Integer] the OID of the new one; 0: the server chooses
    # @param new_file [String, #to_path, nil] a file of this machine: what it holds becomes the content of
    #   the new one
    # @param lobject_factory [Class, nil] {LargeObject} or a subclass
    # @return [LargeObject]
    # @raise [ArgumentError, TypeError] for a mode, an OID or a factory that can't be
    # @raise [SystemCallError] if the file can't be read, such as Errno::ENOENT; nothing is created then
    # @raise [Errors::UndefinedObject] if there is no such object
    # @raise [Errors::UniqueViolation] if new_oid is taken
    # @raise [ProgrammingError] in autocommit outside of {Connection#transaction}, and on an async connection
    # @example
    #   conn.transaction do
    #     photo = conn.lobject(0, new_file: "photo.jpg")
    #     conn.execute("INSERT INTO photos (data) VALUES ($1)", [photo.oid])
    #   end
    # @see https://www.postgresql.org/docs/current/largeobjects.html Large Objects
    def lobject(oid = 0, mode = nil, new_oid: 0, new_file: nil, lobject_factory: nil)
      closed? # raises for an object whose initialize didn't call super
      factory = lobject_factory || LargeObject
      unless factory.is_a?(Class) && factory <= LargeObject
        raise TypeError, "lobject_factory must be Pgconn::LargeObject or a subclass, not #{factory.inspect}"
      end

      factory.new(self, oid, mode, new_oid: new_oid, new_file: new_file)
    end
  end
end
