package contestant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/bench/contestant"
)

func TestBodyHasItsSizeAndItsSerialNumber(t *testing.T) {
	body := contestant.Body(1234567)
	require.Len(t, body, 512)
	serial, err := contestant.Serial(body)
	require.NoError(t, err)
	require.Equal(t, int64(1234567), serial)
	require.Len(t, contestant.Result(), 128)
}

func TestABodyThatWasChangedOnItsWayIsNoticed(t *testing.T) {
	_, err := contestant.Serial(contestant.Body(1)[1:])
	require.ErrorContains(t, err, "511 bytes")
}
