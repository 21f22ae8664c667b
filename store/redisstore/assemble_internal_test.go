package redisstore

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConstantsStandWhereTheyAreUsed(t *testing.T) {
	got := inlineConstants(`local QUEUED, SIZE = 'q', 81
  local SET = 3 -- not the command
local LIST = { 'SET', QUEUED }
call('SET', key, SIZE + SET, SIZES, QUEUED)
`)
	assert.Equal(t, `local LIST = { 'SET', 'q' }
call('SET', key, 81 + 3, SIZES, 'q')
`, got)
}

func TestStepsAreAssembledOfTheirParts(t *testing.T) {
	text, err := assemble("complete")
	require.NoError(t, err)
	assert.NotContains(t, text, "--+")
	assert.NotContains(t, text, "HEAD_SIZE", "a constant")
	assert.Contains(t, text, "local function in_parts(", "of the part base")

	_, err = assemble("no such step")
	assert.Error(t, err)
}
