# frozen_string_literal: true

require "spec_helper"

# Each example of a guide is a program; what it prints is what its comments say.
RSpec.describe "The guides" do
  def programs(guide) = File.read(guide).scan(/^```ruby\n(.*?)^```$/m).flatten

  def promised(program) = program.scan(/^ *p .*# => (.*)$/).flatten

  Dir["docs/guides/*.md", base: File.expand_path("../..", __dir__)].each do |guide|
    it "in #{guide} have examples that run and print what they say" do
      programs(File.expand_path("../../#{guide}", __dir__)).each do |program|
        ended = RubyProcess.run(program, env: { "DATABASE_URL" => server.uri })
        expect(ended).to have_attributes(output: promised(program).join("\n") << "\n", status: be_success)
        expect(ended.errors).not_to include("warning:")
      end
    end
  end
end
