# frozen_string_literal: true

module Pgconn
  class Connection
    # Where it leads.

    # @return [ConnectionInfo] to what server the connection leads and how
    # @raise [InterfaceError] for an object whose initialize didn't call super
    def info
      closed? # raises for such an object
      ConnectionInfo.new(self, @connected_to || {}, @connected_with)
    end
  end
end
