# frozen_string_literal: true

require "net/http"
require "spec_helper"

RSpec.describe "The example of web pages" do
  let(:script) { <<~RUBY }
    $PROGRAM_NAME = #{File.expand_path("../../examples/web_pages.rb", __dir__).inspect}
    load $PROGRAM_NAME
  RUBY

  # @yieldparam proxy [TcpProxy] between the web server and the run's server
  # @yieldparam get [Proc] gives the answer to the request for a path
  def serving(**options)
    through_proxy(**options) do |proxy|
      uri = "postgresql://#{server.user}@#{proxy.host}:#{proxy.port}/#{server.database}?sslmode=disable"
      RubyProcess.start(script, uri, 0) do |child|
        address = child.line[/http:.*/]
        yield proxy, ->(path) { Net::HTTP.get_response(URI(address + path)) }
      end
    end
  end

  def article_page(number)
    <<~HTML
      <h1>Article &lt;#{number}&gt;</h1>
      <p>#{"What article #{number} has to say. " * 50}</p>
      <p>Read 1 times</p>
    HTML
  end

  def get_all(get, paths)
    paths.map { |path| in_thread { get.call(path) } }.map { |thread| value_of(thread) }
  end

  it "serves many requests at the same time, each with its own page, from one session" do
    serving(delay: 0.05) do |proxy, get|
      numbers = (1..50).to_a
      answers = nil
      trips = proxy.round_trips { answers = get_all(get, numbers.map { |number| "/articles/#{number}" }) }
      expect(answers).to all(be_a(Net::HTTPOK))
      numbers.zip(answers) { |number, answer| expect(answer.body).to eq(article_page(number)) }
      expect(trips).to be < 25
      expect(proxy.connections).to eq(1)
    end
  end

  it "counts each time that an article is read, whoever reads it" do
    serving do |proxy, get|
      answers = get_all(get, ["/articles/7"] * 50)
      expect(answers.map { |answer| answer.body[/Read (\d+) times/, 1].to_i }).to match_array(1..50)
      expect(get.call("/").body).to include("7&gt;</a>, read 50 times", "8&gt;</a>, read 0 times")
      expect(proxy.connections).to eq(1)
    end
  end

  it "has no page for what isn't there" do
    serving do |_, get|
      expect(get_all(get, %w[/articles/101 /articles/x /others])).to all(be_a(Net::HTTPNotFound))
    end
  end
end
