# frozen_string_literal: true

# A web server whose requests share one connection: each request is a fiber, and while it waits for its rows
# the others' statements go to the server, too. It needs the gem async-http.
#
#   ruby examples/web_pages.rb postgresql://localhost/shop 9292
#   curl http://127.0.0.1:9292/articles/7
#
# The articles are in a temporary table, so they last as long as the program.

require "async"
require "async/http/endpoint"
require "async/http/server"
require "erb"
require "pgconn"

# Pages with articles, each of which knows how often it was read.
class WebPages
  include ERB::Util

  TABLE = <<~SQL
    CREATE TEMPORARY TABLE articles (
      id int PRIMARY KEY, title text NOT NULL, body text NOT NULL, reads int NOT NULL DEFAULT 0
    );
    INSERT INTO articles
    SELECT id, 'Article <' || id || '>', repeat('What article ' || id || ' has to say. ', 50)
    FROM generate_series(1, 100) AS id
  SQL

  READ = "UPDATE articles SET reads = reads + 1 WHERE id = $1 RETURNING title, body, reads"
  LIST = "SELECT id, title, reads FROM articles ORDER BY id"

  ARTICLE_PAGE = ERB.new(<<~HTML)
    <h1><%= h article[:title] %></h1>
    <p><%= h article[:body] %></p>
    <p>Read <%= article[:reads] %> times</p>
  HTML

  LIST_PAGE = ERB.new(<<~HTML, trim_mode: "<>")
    <h1>Articles</h1>
    <% articles.each do |article| %>
    <p><a href="/articles/<%= article[:id] %>"><%= h article[:title] %></a>, read <%= article[:reads] %> times</p>
    <% end %>
  HTML

  def initialize(connection)
    @connection = connection
    @connection.execute(TABLE)
  end

  def answer(request)
    html = html_of(request.path)
    headers = { "content-type" => "text/html; charset=utf-8" }
    Protocol::HTTP::Response[html ? 200 : 404, headers, [html || "<h1>There is no such page</h1>\n"]]
  end

  private

  def html_of(path)
    return list if path == "/"

    id = path[%r{\A/articles/(\d{1,9})\z}, 1]
    article(id) if id
  end

  def list
    articles = @connection.execute(LIST).fetch_all
    LIST_PAGE.result(binding)
  end

  def article(id)
    article = @connection.execute(READ, [Integer(id, 10)]).fetch
    ARTICLE_PAGE.result(binding) if article
  end
end

if $PROGRAM_NAME == __FILE__
  Sync do
    # Each statement commits by itself: the requests share a connection, not a transaction.
    pages = WebPages.new(Pgconn.connect(ARGV[0], autocommit: true))
    endpoint = Async::HTTP::Endpoint.parse("http://127.0.0.1:#{ARGV.fetch(1, 9292)}").bound
    puts "Listening on http://#{endpoint.sockets.first.to_io.local_address.inspect_sockaddr}"
    $stdout.flush
    http = { protocol: Async::HTTP::Protocol::HTTP1, scheme: "http" }
    Async::HTTP::Server.for(endpoint, **http) { |request| pages.answer(request) }.run.wait
  end
end
