# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connection service" do
  # Runs the block with a service file that has one service, "shop".
  def with_service(**parameters)
    Dir.mktmpdir do |directory|
      file = File.join(directory, "services")
      File.write(file, ["[shop]", *parameters.map { |keyword, value| "#{keyword}=#{value}" }].join("\n"))
      with_environment("PGSERVICEFILE" => file) { yield file }
    end
  end

  # The ways to name one.
  def each_way
    yield ->(**keywords) { connect("service=shop", **keywords) }
    yield ->(**keywords) { connect(nil, service: "shop", **keywords) }
    with_environment("PGSERVICE" => "shop") { yield ->(**keywords) { connect(nil, **keywords) } }
  end

  let(:place) { { host: server.host, port: server.port, user: server.user, dbname: server.database } }

  it "has what it says honoured, however it is named" do
    with_service(**place, application_name: "from the service", client_encoding: "LATIN1") do
      each_way do |way|
        connection = way.call
        expect(%w[application_name client_encoding].map { |name| connection.parameter_status(name) })
          .to eq(["from the service", "LATIN1"])
        expect(connection.execute("SELECT inet_server_port()").fetch_value).to eq(server.port)
      end
    end
  end

  it "yields to explicit keywords, and wins over the environment" do
    with_service(**place, port: closed_port, application_name: "service") do
      with_environment("PGPORT" => "1", "PGAPPNAME" => "environment") do
        each_way do |way|
          expect(way.call(port: server.port).parameter_status("application_name")).to eq("service")
          expect(way.call(port: server.port, application_name: "keyword").parameter_status("application_name"))
            .to eq("keyword")
        end
      end
    end
  end

  it "may list hosts" do
    with_service(**place, host: "127.0.0.1,127.0.0.1", port: "#{closed_port},#{server.port}") do
      each_way { |way| expect(way.call.info.port).to eq(server.port) }
    end
  end

  it "may say what target_session_attrs the hosts must have" do
    ports = [server.port, SharedServers.standby.port].join(",")
    %w[standby prefer-standby].each do |wanted|
      with_service(**place, host: "127.0.0.1,127.0.0.1", port: ports, target_session_attrs: wanted) do
        each_way { |way| expect(way.call.info.port).to eq(SharedServers.standby.port) }
      end
    end
  end

  it "may say connect_timeout, which then is that of all its hosts together" do
    SilentHost.open do |host|
      hosts = { host: "127.0.0.1,127.0.0.1", port: "#{host.port},#{server.port}" }
      with_service(**place, **hosts, connect_timeout: 1) do
        each_way do |way|
          expect { way.call }.to raise_error(Pgconn::OperationalError, /127\.0\.0\.1.*#{host.port}.*timeout/)
        end
      end
    end
  end

  it "has its hosts tried in random order where libpq can do that, else ProgrammingError says what it takes" do
    with_service(**place) do
      each_way do |way|
        expect(way.call(load_balance_hosts: "disable").execute("SELECT 1").fetch_value).to eq(1)
        balanced = -> { way.call(load_balance_hosts: "random").execute("SELECT 1").fetch_value }
        if Pgconn.libpq_version >= 160_000 then expect(balanced.call).to eq(1)
        else expect(&balanced).to raise_error(Pgconn::ProgrammingError, /load_balance_hosts.*service.*libpq 16/)
        end
      end
    end
  end

  it "may hold the password, which nothing shows" do
    with_service(**place, user: "pgconn_password", password: PostgresServer::PASSWORD) do
      each_way do |way|
        connection = way.call
        texts = [connection.dsn, connection.inspect, connection.info.inspect, connection.info.dsn_parameters.to_s]
        expect(texts.join).not_to match(/correct|horse/)
      end
    end
  end

  it "has wrong values refused before any traffic" do
    with_service(**place, target_session_attrs: "writable") do
      each_way { |way| expect { way.call }.to raise_error(Pgconn::ProgrammingError, /"writable"/) }
    end
  end

  it "raises OperationalError that names one that doesn't exist" do
    with_service(**place) do
      expect { connect("service=nowhere") }.to raise_error(Pgconn::OperationalError, /service "nowhere" not found/)
      with_environment("PGSERVICE" => "nowhere") do
        expect { connect(nil) }.to raise_error(Pgconn::OperationalError, /service "nowhere" not found/)
      end
    end
  end

  it "raises OperationalError where the file isn't there" do
    with_environment("PGSERVICEFILE" => "/nonexistent/services") do
      expect { connect("service=shop") }.to raise_error(Pgconn::OperationalError, %r{/nonexistent/services|shop})
    end
  end
end
