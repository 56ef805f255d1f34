# frozen_string_literal: true

require "active_support"
require "active_support/notifications"
require "pgconn"

module Pgconn
  # Tracers that pass what they are told on to other libraries. Each is required by its own name.
  module Instrumentation
    # A tracer that publishes each command as `sql.pgconn` by ActiveSupport::Notifications. The payload has
    # `:sql`, `:row_count` (nil if unknown), `:connection` and, after an error, `:exception` (its class's name
    # and its message) and `:exception_object`.
    #
    # Subscribers are told when the command is done, with the times when it began and ended. Those that have
    # `start` and `finish` and measure for themselves are left out, unless they have `publish_event` (as
    # ActiveSupport::Subscriber has) or `publish`. As ActiveSupport it works in the main Ractor only.
    #
    # @example
    #   require "pgconn/instrumentation/active_support"
    #   conn.tracer = Pgconn::Instrumentation::ActiveSupport.new
    #   ActiveSupport::Notifications.subscribe("sql.pgconn") do |event|
    #     Rails.logger.debug { "#{event.duration.round(1)} ms: #{event.payload[:sql]}" }
    #   end
    # @see Connection#tracer=
    class ActiveSupport
      # The events' name.
      NAME = "sql.pgconn"

      Notifications = ::ActiveSupport::Notifications
      Subscribers = Notifications::Fanout::Subscribers
      private_constant :Notifications, :Subscribers

      # @param event [TraceEvent]
      # @return [nil]
      # @raise [StandardError] the first that a subscriber has raised, once all are told
      def call(event)
        return unless Notifications.notifier.listening?(NAME)

        publication = Publication.new(event)
        subscribers = Notifications.notifier.listeners_for(NAME)
        errors = subscribers.filter_map { |subscriber| publication.error_of(subscriber) }
        raise errors.first if errors.any?
      end

      # One event, in the form that each kind of subscriber wants.
      # @api private
      class Publication
        def initialize(event)
          @payload = payload(event)
          @id = Notifications.instrumenter.id
          @monotonic = [event.started, event.started + event.seconds]
          # By one offset, so that the two lie as far from each other.
          offset = Time.now.to_r - Process.clock_gettime(Process::CLOCK_MONOTONIC).to_r
          @times = @monotonic.map { |seconds| Time.at(offset + seconds.to_r) }
        end

        # @return [StandardError, nil] what the subscriber has raised
        def error_of(subscriber)
          publish_to(subscriber)
          nil
        rescue StandardError => e
          e
        end

        private

        # The library's own publish gives all of them the same times, be they Times or seconds.
        def publish_to(subscriber)
          case subscriber
          when Subscribers::MonotonicTimed then subscriber.publish(NAME, *@monotonic, @id, @payload)
          when Subscribers::Timed then subscriber.publish(NAME, *@times, @id, @payload)
          else subscriber.publish_event(Notifications::Event.new(NAME, *@monotonic, @id, @payload))
          end
        end

        def payload(event)
          payload = { sql: event.sql, row_count: event.rows, connection: event.connection }
          error = event.error
          payload.update(exception: [error.class.name, error.message], exception_object: error) if error
          payload
        end
      end
      private_constant :Publication
    end
  end
end
