# frozen_string_literal: true

# For examples on what a server has done while nobody knows it yet.
module HeldAnswers
  # A connection whose answers are held back from the time when it has sent the text.
  # @yieldparam connection [Pgconn::Connection]
  # @yieldparam gate [Queue] to be closed, so that they pass
  def holding_answers_to(text)
    gate = Queue.new
    asked = false
    to_server = ->(bytes, _) { bytes.tap { asked ||= bytes.include?(text) } }
    to_client = ->(bytes, _) { bytes.tap { gate.pop if asked } }
    through_proxy(to_server: to_server, to_client: to_client) do |proxy|
      yield connect_tcp(port: proxy.port), gate
    ensure
      gate.close
    end
  end
end
