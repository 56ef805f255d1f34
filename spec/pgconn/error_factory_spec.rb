# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::ErrorFactory do
  let(:fatal) do
    { severity: "FATAL", sqlstate: "57P01",
      message_primary: "terminating connection due to administrator command" }
  end
  let(:fatal_text) { "FATAL:  terminating connection due to administrator command\n" }
  let(:lost_text) { "server closed the connection unexpectedly\n\tThis probably means...\n" }

  it "has detail and hint below the primary message" do
    error = described_class.build(
      { sqlstate: "23505", message_primary: "primary", message_detail: "more",
        message_hint: "do this" }, pgerror: "ERROR:  primary\n"
    )

    expect(error).to be_a(Pgconn::Errors::UniqueViolation)
    expect(error.message).to eq("primary\nDETAIL:  more\nHINT:  do this")
    expect(error.pgerror).to eq("ERROR:  primary\n")
  end

  it "uses libpq's text where the server sent no fields" do
    error = described_class.build({}, pgerror: "out of memory\n")

    expect(error).to be_an_instance_of(Pgconn::DatabaseError)
    expect(error).to have_attributes(message: "out of memory", pgerror: "out of memory\n")
  end

  it "hints at a cast where the server couldn't tell a parameter's type" do
    %w[42P18 42725].each do |sqlstate|
      error = described_class.build({ sqlstate: sqlstate, message_primary: "primary" })

      expect(error.message).to match(/^HINT:  Add a cast .*\$1::int/)
      expect(error.diag.hint).to include("$1::int")
    end
  end

  it "keeps the server's own hint above that one" do
    error = described_class.build({ sqlstate: "42725", message_primary: "primary",
                                    message_hint: "Could not choose." })

    expect(error.diag.hint).to match(/\ACould not choose\.\nAdd a cast/)
  end

  it "says a lost connection's last words first and repeats none of them" do
    error = described_class.build(fatal, pgerror: fatal_text, libpq_text: fatal_text + lost_text,
                                         ended: true)

    expect(error).to be_a(Pgconn::Errors::AdminShutdown)
    expect(error.message).to eq("#{fatal[:message_primary]}\n#{lost_text.strip}")
    expect(error.pgerror).to eq(fatal_text + lost_text)
  end

  it "says libpq's text once where the result has nothing but that" do
    error = described_class.build({}, pgerror: lost_text, libpq_text: fatal_text + lost_text,
                                      ended: true)

    expect(error).to be_an_instance_of(Pgconn::ConnectionLost)
    expect(error.message).to eq((fatal_text + lost_text).strip)
  end

  it "makes at least ConnectionLost of an error that ended the session" do
    error = described_class.build({ sqlstate: "25P03", message_primary: "idle" }, ended: true)

    expect(error).to be_an_instance_of(Pgconn::ConnectionLost)
    expect(error.sqlstate).to eq("25P03")
  end

  it "says that the connection was lost where nobody said anything" do
    expect(described_class.build({}, ended: true).message).to match(/lost/)
  end

  it "joins texts of different encodings as bytes" do
    error = described_class.build(
      { sqlstate: "28000", message_primary: "Rôle", message_detail: "\xE9".b }
    )

    expect(error.message.b).to eq("Rôle\nDETAIL:  \xE9".b)
  end

  describe "with_cause" do
    let(:error) { Pgconn::Errors::InFailedSqlTransaction.new("later") }
    let(:cause) { Pgconn::DataError.new("first") }

    it "gives the error with that cause, as if it had never been raised" do
      expect(described_class.with_cause(error, cause)).to equal(error)
      expect(error).to have_attributes(cause: cause, backtrace: nil, backtrace_locations: nil)
    end

    it "takes another cause that is being handled only where that has this one behind it" do
      raise KeyError, "mine", cause: cause
    rescue KeyError => e
      expect(described_class.with_cause(error, cause).cause).to equal(e)
      expect(described_class.with_cause(error.dup, IndexError.new).cause).to be_an(IndexError)
    end
  end
end
